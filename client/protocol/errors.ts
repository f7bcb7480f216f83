/** The class names in the `error` member of a refusal: what Gaia's clients know, and what Mandate adds. */
export const errorNames = {
  invalidInput: 'InvalidInputError',
  validation: 'ValidationError',
  tokenTimestamp: 'AuthTokenTimestampValidationError',
  notEnoughProof: 'NotEnoughProofError',
  badPath: 'BadPathError',
  notAuthorized: 'NotAuthorizedError',
  doesNotExist: 'DoesNotExist',
  methodNotAllowed: 'MethodNotAllowedError',
  requestTimeout: 'RequestTimeoutError',
  conflict: 'ConflictError',
  preconditionFailed: 'PreconditionFailedError',
  payloadTooLarge: 'PayloadTooLargeError',
  rangeNotSatisfiable: 'RangeNotSatisfiableError',
  rateLimited: 'RateLimitedError',
  headersTooLarge: 'HeadersTooLargeError',
  storage: 'StorageError',
  overloaded: 'OverloadedError',
  notSupported: 'NotSupportedError',
} as const

export type ErrorName = (typeof errorNames)[keyof typeof errorNames]

/** Body of every refusal. The 500 has a message only. */
export interface ErrorBody {
  message: string
  error?: ErrorName
  /** Why a credential was refused, in kebab-case (PROTOCOL 2.3). */
  code?: string
  /** The etag now at the path, with a 412, where it is known. */
  etag?: string
}
