import { DriverError, type DriverErrorCode } from '../errors.ts'

/**
 * What the service's own error codes mean to a caller (Azure's "Common REST API error codes" and "Blob Storage
 * error codes"); what is not here is decided by the status.
 */
const codes: Readonly<Record<string, DriverErrorCode>> = {
  BlobNotFound: 'not_found',
  ConditionNotMet: 'precondition_failed',
  SourceConditionNotMet: 'precondition_failed',
  TargetConditionNotMet: 'precondition_failed',
  BlobAlreadyExists: 'precondition_failed',
  InvalidRange: 'range_not_satisfiable',
  InvalidUri: 'invalid_key',
  InvalidResourceName: 'invalid_key',
  LeaseIdMissing: 'busy',
  PendingCopyOperation: 'busy',
  ContainerBeingDeleted: 'unavailable',
  AccountBeingCreated: 'unavailable',
}

/** Statuses after which trying again may help. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** What is known of a failed call: `status` is 0 where no answer came. */
export interface Failure {
  readonly status: number
  /** The service's code, or that of the network error; empty where there is none. */
  readonly code: string
}

/** Looks at what the SDK has thrown. A HEAD has no body, so its code stands in a header only. */
export function failureOf(error: unknown): Failure {
  const { statusCode, code, details } = fieldsOf(error)
  const inHeader = textOf(fieldsOf(details).errorCode)
  return {
    status: typeof statusCode === 'number' ? statusCode : 0,
    code: inHeader === '' ? textOf(code) : inHeader,
  }
}

/** A code, if it has the form of one. */
function textOf(code: unknown): string {
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : ''
}

/** Whether the same request may succeed if it is sent again: the network's faults, and a service under load. */
export function isPassing(error: unknown): boolean {
  const { status } = failureOf(error)
  return status === 0 ? isNetworkError(error) : passing.has(status)
}

/**
 * Turns what the SDK has thrown into the error of the contract. A container that is missing and a credential that
 * is refused are faults of the hub's configuration (`backend`), never an object that is not there.
 */
export function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  const { status, code } = failureOf(error)
  const cause = causeOf(error)
  if (status !== 0) {
    const meaning = codes[code] ?? (isPassing(error) ? 'unavailable' : 'backend')
    return new DriverError(meaning, `the storage service answered ${`${status} ${code}`.trim()}`, { cause })
  }
  if (isNetworkError(error)) {
    const which = code === '' ? '' : ` (${code})`
    return new DriverError('unavailable', `the storage service cannot be reached${which}`, { cause })
  }
  return new DriverError('backend', 'the Azure driver failed', { cause })
}

/** Runs a task whose SDK errors are to become those of the contract. */
export async function asDriver<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDriverError(error)
  }
}

/** {@link asDriver}, with `null` where the error has that code. */
export async function unless<T>(code: DriverErrorCode, task: () => Promise<T>): Promise<T | null> {
  try {
    return await asDriver(task)
  } catch (error) {
    if (error instanceof DriverError && error.code === code) return null
    throw error
  }
}

function isNetworkError(error: unknown): boolean {
  const { name, code } = fieldsOf(error)
  return name === 'AbortError' || (name === 'RestError' && typeof code === 'string') || isSystemCode(code)
}

function isSystemCode(code: unknown): boolean {
  return typeof code === 'string' && /^E[A-Z]{2,}$/.test(code)
}

const maxCauseLength = 500

/** The SDK's errors hold requests and answers, and with them signatures: only the text goes on. */
function causeOf(error: unknown): Error {
  const text =
    error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown'
  return new Error(text.slice(0, maxCauseLength))
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
