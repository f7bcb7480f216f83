import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { DriverError } from '../errors.ts'
import { ApiFailure, hasStatus } from './errors.ts'
import type { Identity } from './identity.ts'
import { type RetrySettings, retry, type Tries } from './retry.ts'
import type { Sockets } from './sockets.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the endpoint, its parts encoded; or the whole address of an upload. */
  readonly path: string | URL
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  /** Statuses besides 2xx that are no errors. */
  readonly accept?: readonly number[]
  readonly isStreamed?: boolean
}

export type Query = Readonly<Record<string, string | undefined>>

export interface ApiAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What the JSON of the body says; `null` where the body is empty. */
  readonly value: unknown
}

export interface ApiOptions {
  readonly identity: Identity
  readonly sockets: Sockets
  readonly bucket: string
  readonly retries: RetrySettings
  /** Of a body that is read as a stream. */
  readonly timeoutMs: number
}

/**
 * Calls of the JSON API on one bucket (https://cloud.google.com/storage/docs/json_api/v1). They are made here
 * and not by the SDK because its own requests do three things that a hub cannot have: a reader that goes away
 * early destroys the connections of all others, `{{projectId}}` within a name becomes the project's name, and
 * an abandoned upload is left behind.
 */
export class Api {
  readonly timeoutMs: number
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
    this.timeoutMs = options.timeoutMs
  }

  /** The path of the bucket, or of an object in it. */
  path(name?: string): string {
    const bucket = `/storage/v1/b/${encodeURIComponent(this.#options.bucket)}`
    return name === undefined ? bucket : `${bucket}/o/${encodeURIComponent(name)}`
  }

  /** Where uploads go. */
  get uploadPath(): string {
    return `/upload${this.path()}/o`
  }

  /** Tries again what may pass. */
  retry<T>(task: (tries: Tries) => Promise<T>): Promise<T> {
    return retry(this.#options.retries, task)
  }

  /** One try of a call with a small answer. @throws {ApiFailure} or an error of the network */
  async call(request: ApiRequest): Promise<ApiAnswer> {
    const res = await this.open(request)
    const text = (await readAll(res)).toString()
    return { status: res.statusCode ?? 0, headers: res.headers, value: text === '' ? null : parseJson(text) }
  }

  /** One try of a call whose body the caller consumes or destroys. @throws {ApiFailure} or an error of the network */
  async open(request: ApiRequest): Promise<IncomingMessage> {
    const res = await this.#send(request)
    const status = res.statusCode ?? 0
    if ((status >= 200 && status < 300) || request.accept?.includes(status) === true) return res
    const failure = new ApiFailure(status, messageOf((await readAll(res)).toString()))
    if (status === 404) await this.#checkBucket(failure)
    throw failure
  }

  /** Makes the bucket; there already is no error. */
  async createBucket(): Promise<void> {
    const { bucket, identity } = this.#options
    const request: ApiRequest = {
      method: 'POST',
      path: '/storage/v1/b',
      query: { project: await identity.projectId() },
      ...jsonBody({ name: bucket }),
      accept: [409],
    }
    await this.retry(() => this.call(request))
  }

  /** Whether the bucket is there and can be listed: what every hub may do, also one that may not read the bucket's own settings. */
  async hasBucket(): Promise<boolean> {
    try {
      const res = await this.#send({
        method: 'GET',
        path: `${this.path()}/o`,
        query: { maxResults: '1', fields: 'kind' },
      })
      const text = (await readAll(res)).toString()
      const status = res.statusCode ?? 0
      if (status !== 200) throw new ApiFailure(status, messageOf(text))
      return true
    } catch (error) {
      if (hasStatus(error, 404)) return false
      throw error
    }
  }

  /** A bucket that is missing is answered like an object that is; the text tells them apart, at Google's. */
  async #checkBucket(failure: ApiFailure): Promise<void> {
    if (failure.detail.startsWith('No such object') || (await this.hasBucket())) return
    throw new DriverError('backend', 'the bucket does not exist', { cause: failure })
  }

  async #send({ path, query, ...request }: ApiRequest): Promise<IncomingMessage> {
    const { identity, sockets } = this.#options
    const url = path instanceof URL ? path : urlOf(identity.endpoint, path, query)
    // An upload's address may be anywhere that the storage says; who this is, is for its own server only.
    const headers = url.origin === identity.endpoint.origin ? await identity.headers() : {}
    return await sockets.send({ ...request, url, headers: { ...headers, ...request.headers } })
  }
}

/** A name is one segment of the path, its slashes escaped, so that no dots in it are taken for folders. */
function urlOf(endpoint: URL, path: string, query: Query = {}): URL {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const url = new URL(endpoint)
  url.pathname = endpoint.pathname.replace(/\/+$/, '') + path
  url.search = new URLSearchParams(given).toString()
  return url
}

export function jsonBody(value: unknown): Pick<ApiRequest, 'headers' | 'body'> {
  return {
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: [Buffer.from(JSON.stringify(value))],
  }
}

/** A page of 1,000 names of 1,024 bytes, all escaped, has less. */
const maxAnswerBytes = 16 * 1024 * 1024

async function readAll(res: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of res as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > maxAnswerBytes) throw new DriverError('backend', "the storage's answer is too long")
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DriverError('backend', 'the storage answered with something that is no JSON')
  }
}

/** `{"error": {"message": …}}`, or the bare text that media requests get. */
function messageOf(text: string): string {
  const message = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text.slice(0, 10_000))?.[1]
  return message ?? text.slice(0, 1000)
}
