import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type DeleteObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3DriverOptions } from './options.ts'

export const defaultRequestTimeoutMs = 30_000
export const defaultMaxAttempts = 4
export const defaultMaxSockets = 128
const defaultConnectionTimeoutMs = 5_000
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** When the server answered, by its own clock, for each answer that the client has handed out. */
const answeredAt = new WeakMap<object, number>()

/** A client of the SDK that retries, times out and bounds its connections as the options say. */
export function makeClient(options: S3DriverOptions): S3Client {
  const client = new S3Client({
    ...placeOf(options),
    ...identityOf(options),
    maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
    retryMode: 'standard',
    // Checksums that only AWS understands make other services refuse a request.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The SDK would give each such request a connection of its own, outside of the bound.
    expectContinueHeader: false,
    requestHandler: handlerOf(options),
    // Faults reach the caller, who logs them; the SDK would also write to the console.
    logger: silent,
  })
  rememberDates(client)
  return client
}

function placeOf({ endpoint, region, forcePathStyle }: S3DriverOptions): S3ClientConfig {
  const place: S3ClientConfig = {}
  if (endpoint !== undefined) place.endpoint = endpoint
  const known = region ?? (endpoint === undefined ? undefined : 'us-east-1')
  if (known !== undefined) place.region = known
  place.forcePathStyle = forcePathStyle ?? endpoint !== undefined
  return place
}

function identityOf({ credentials }: S3DriverOptions): S3ClientConfig {
  if (credentials === undefined) return {}
  if (credentials !== 'anonymous') return { credentials }
  return {
    credentials: { accessKeyId: '', secretAccessKey: '' },
    signer: { sign: async (request) => request },
  }
}

function handlerOf(options: S3DriverOptions) {
  const maxSockets = options.maxSockets ?? defaultMaxSockets
  const agent = { keepAlive: true, maxSockets }
  return {
    httpAgent: new HttpAgent(agent),
    httpsAgent: new HttpsAgent(agent),
    connectionTimeout: options.connectionTimeoutMs ?? defaultConnectionTimeoutMs,
    requestTimeout: options.requestTimeoutMs ?? defaultRequestTimeoutMs,
    throwOnRequestTimeout: true,
    // It would end an answer whose reader takes its time; bodies are watched where they are read.
    socketTimeout: 0,
  }
}

function rememberDates(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const date = Date.parse(dateOf(result.response))
      if (result.output !== undefined && !Number.isNaN(date)) answeredAt.set(result.output, date)
      return result
    },
    { name: 'rememberDates', step: 'deserialize', priority: 'low' },
  )
}

function dateOf(response: unknown): string {
  const { headers } = response as { headers?: { date?: string } }
  return headers?.date ?? ''
}

/** In milliseconds, to the second; by our own clock where the server did not say. */
export function dateOfAnswer(output: object): number {
  return wholeSecond(answeredAt.get(output) ?? Date.now())
}

/** S3 tells times of objects to the second in one place, and finer in another. */
export function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}

/** Hides an error from the SDK's retries. */
class NotRepeated extends Error {
  readonly original: unknown

  constructor(original: unknown) {
    super('not to be repeated')
    this.original = original
  }
}

/** Sends a request that must not reach the server twice. */
export async function sendOnce(
  client: S3Client,
  command: DeleteObjectCommand,
  options: { readonly requestTimeout: number },
): Promise<void> {
  command.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        throw new NotRepeated(error)
      }
    },
    // Between the retries, which are at the beginning of this step, and the request.
    { step: 'finalizeRequest', priority: 'low', name: 'notRepeated' },
  )
  try {
    await client.send(command, options)
  } catch (error) {
    throw error instanceof NotRepeated ? error.original : error
  }
}
