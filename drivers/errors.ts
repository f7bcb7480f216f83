/**
 * What can go wrong in a driver: a closed set. Callers act on `code`, never on `message`, which is for
 * people and may be shown to a client (it never holds credentials or host names).
 *
 * - `not_found`: a delete or copy of something that is not there. `stat` and `read` answer `null` instead.
 * - `precondition_failed`: the {@link Condition} did not hold when the operation would have committed.
 * - `invalid_key`: this backend cannot hold such a name (too long for it, or a file stands where a folder
 *   is needed).
 * - `invalid_cursor`: a list cursor that this driver did not make, or made for another prefix.
 * - `range_not_satisfiable`: a range that begins at or after the end of the object.
 * - `busy`: another operation held the key for too long; trying again is right.
 * - `unavailable`: the backend cannot be reached, is overloaded, full or timed out; trying again may help.
 * - `backend`: the backend answered something that it should not; trying again will hardly help.
 */
export type DriverErrorCode =
  | 'not_found'
  | 'precondition_failed'
  | 'invalid_key'
  | 'invalid_cursor'
  | 'range_not_satisfiable'
  | 'busy'
  | 'unavailable'
  | 'backend'

export interface DriverErrorOptions {
  /** The error that caused this one; for logs. */
  cause?: unknown
  /** The etag of the version that is there, where it is known (`precondition_failed`). */
  etag?: string
  /** Size in bytes of the object, where it is known (`range_not_satisfiable`). */
  size?: number
}

export class DriverError extends Error {
  readonly code: DriverErrorCode
  readonly etag: string | undefined
  readonly size: number | undefined

  constructor(code: DriverErrorCode, message: string, options: DriverErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DriverError'
    this.code = code
    this.etag = options.etag
    this.size = options.size
  }
}
