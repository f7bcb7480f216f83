import { DriverError, type DriverErrorCode } from '../errors.ts'

/** What the SDK hangs on the errors of a service. */
interface Failure {
  readonly name?: unknown
  readonly Code?: unknown
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

/** The HTTP status that a service refused with; `undefined` for anything that is no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = failureOf(error).$metadata?.httpStatusCode
  return typeof status === 'number' ? status : undefined
}

/** The service's own word for a refusal: `NoSuchKey`, `PreconditionFailed`, … */
export function codeOf(error: unknown): string | undefined {
  const { Code, name } = failureOf(error)
  const code = Code ?? name
  // It comes from the network and goes into messages.
  return typeof code === 'string' && /^[A-Za-z.]{1,64}$/.test(code) ? code : undefined
}

/** That there is no such object; a missing bucket is no answer to what an object is. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) === 'NoSuchKey'
}

/** That a condition did not hold, in the ways that services say it: AWS tells a missing key by 404. */
export function isUnmet(error: unknown): boolean {
  return statusOf(error) === 412 || isMissing(error)
}

/** That another request for the same key was under way. */
export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409
}

/** Turns whatever the SDK threw into the error of the contract. Its message never holds a host name. */
export function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  const status = statusOf(error)
  const reason = codeOf(error) ?? 'no reason given'
  if (status !== undefined && status >= 300) {
    return new DriverError(codeOfAnswer(status, reason), `the storage answered ${status} (${reason})`, {
      cause: error,
    })
  }
  if (isNetworkFault(error)) {
    return new DriverError('unavailable', `the storage cannot be reached (${reason})`, { cause: error })
  }
  return new DriverError('backend', `the request to the storage failed (${reason})`, { cause: error })
}

const keyRefusals = new Set(['KeyTooLong', 'KeyTooLongError', 'InvalidObjectName'])
/** Refusals that have a status of the 4xx kind, and pass. */
const passing = new Set([
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
])

function codeOfAnswer(status: number, reason: string): DriverErrorCode {
  if (keyRefusals.has(reason)) return 'invalid_key'
  if (status === 412) return 'precondition_failed'
  if (status === 409) return 'busy'
  if (status === 501) return 'backend'
  return status >= 500 || status === 429 || status === 408 || passing.has(reason) ? 'unavailable' : 'backend'
}

/** Errors of the system (`ECONNREFUSED`, …), time-outs, and connections that end in the middle of an answer. */
function isNetworkFault(error: unknown): boolean {
  const { name, code } = failureOf(error)
  return name === 'TimeoutError' || (typeof code === 'string' && /^(E[A-Z]|ERR_TLS|CERT_|HPE_)/.test(code))
}

function failureOf(error: unknown): Failure {
  return typeof error === 'object' && error !== null ? error : {}
}

/** Runs a task whose errors of the SDK are to become those of the contract. */
export async function asDriver<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDriverError(error)
  }
}

export function notFound(): DriverError {
  return new DriverError('not_found', 'nothing is stored under that name')
}
