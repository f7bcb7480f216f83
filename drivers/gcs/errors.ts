import { DriverError } from '../errors.ts'

/** An answer of the JSON API that is an error. */
export class ApiFailure extends Error {
  readonly status: number
  /** As the storage says it, for its meaning only: it may hold names, so it is not for clients. */
  readonly detail: string

  constructor(status: number, detail: string) {
    super(`the storage answered ${status}`)
    this.name = 'ApiFailure'
    this.status = status
    this.detail = detail
  }
}

/** Statuses after which the same request may succeed ("Retry strategy" of Cloud Storage). */
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** Whether the same request may succeed if it is sent again: a fault of the network, or a storage under load. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ApiFailure) return passingStatuses.has(error.status)
  if (error instanceof DriverError) return error.code === 'unavailable'
  return codeOf(error) !== null
}

/** Errors after which the storage has surely done nothing. */
const neverSent: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EQUEUED'])

/** Whether a request that failed may have been carried out nevertheless: only its answer was lost. */
export function mayBeDone(error: unknown): boolean {
  if (error instanceof ApiFailure) return error.status >= 500 || error.status === 408
  if (error instanceof DriverError) return false
  return !neverSent.has(codeOf(error) ?? '')
}

/** Turns whatever a call failed with into the error of the contract. Hosts and names stay out of its message. */
export function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  if (error instanceof ApiFailure) return fromStatus(error)
  const code = codeOf(error)
  if (code !== null) {
    return new DriverError('unavailable', `the storage cannot be reached (${code})`, { cause: error })
  }
  return new DriverError('backend', 'the storage driver failed', { cause: error })
}

/** Runs a task whose errors are to become those of the contract. */
export async function asDriver<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDriverError(error)
  }
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiFailure && error.status === status
}

export function unclear(): DriverError {
  return new DriverError(
    'unavailable',
    'the storage did not answer in time to tell whether this was done; look before you try again',
  )
}

export function notFound(): DriverError {
  return new DriverError('not_found', 'nothing is stored under that name')
}

function fromStatus(error: ApiFailure): DriverError {
  const options = { cause: error }
  switch (error.status) {
    case 401:
      return new DriverError('backend', 'the storage refuses the credentials of this hub', options)
    case 403:
      return new DriverError('backend', 'the storage does not allow this hub to do that', options)
    case 404:
      return new DriverError('not_found', 'nothing is stored under that name', options)
    case 412:
      return new DriverError('precondition_failed', 'another version is stored now', options)
    case 429:
      return new DriverError('unavailable', 'the storage asks to slow down', options)
    default:
      return new DriverError(isPassing(error) ? 'unavailable' : 'backend', error.message, options)
  }
}

/** The code of an error of the network or the HTTP client; `null` of any other error. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  return typeof error.code === 'string' && /^(E(?!RR_)[A-Z0-9_]{2,}|HPE_[A-Z_]+)$/.test(error.code)
    ? error.code
    : null
}
