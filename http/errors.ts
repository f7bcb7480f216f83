import { type ErrorName, errorNames } from '../client/protocol/errors.ts'

/**
 * Every refusal that crosses the wire: a closed set of codes, each with one row here. The `error` names are
 * those that Gaia's clients know (PROTOCOL 1.6); a code without a row does not compile.
 */
export type ErrorCode =
  | 'invalid_input'
  | 'unauthorized'
  | 'token_too_old'
  | 'not_enough_proofs'
  | 'bad_path'
  | 'not_authorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'conflict'
  | 'precondition_failed'
  | 'payload_too_large'
  | 'range_not_satisfiable'
  | 'rate_limited'
  | 'headers_too_large'
  | 'server_error'
  | 'not_supported'
  | 'bad_gateway'
  | 'unavailable'
  | 'overloaded'

interface WireRow {
  status: number
  error: ErrorName | null
}

export const wire = {
  invalid_input: { status: 400, error: errorNames.invalidInput },
  unauthorized: { status: 401, error: errorNames.validation },
  token_too_old: { status: 401, error: errorNames.tokenTimestamp },
  not_enough_proofs: { status: 402, error: errorNames.notEnoughProof },
  bad_path: { status: 403, error: errorNames.badPath },
  not_authorized: { status: 403, error: errorNames.notAuthorized },
  not_found: { status: 404, error: errorNames.doesNotExist },
  method_not_allowed: { status: 405, error: errorNames.methodNotAllowed },
  request_timeout: { status: 408, error: errorNames.requestTimeout },
  conflict: { status: 409, error: errorNames.conflict },
  precondition_failed: { status: 412, error: errorNames.preconditionFailed },
  payload_too_large: { status: 413, error: errorNames.payloadTooLarge },
  range_not_satisfiable: { status: 416, error: errorNames.rangeNotSatisfiable },
  rate_limited: { status: 429, error: errorNames.rateLimited },
  headers_too_large: { status: 431, error: errorNames.headersTooLarge },
  server_error: { status: 500, error: null },
  not_supported: { status: 501, error: errorNames.notSupported },
  bad_gateway: { status: 502, error: errorNames.storage },
  unavailable: { status: 503, error: errorNames.storage },
  overloaded: { status: 503, error: errorNames.overloaded },
} as const satisfies Record<ErrorCode, WireRow>

export interface WireErrorOptions {
  cause?: unknown
  /** Further members of the JSON body, `etag` or `code` for instance. Never a token. */
  details?: Record<string, unknown>
  /** Seconds for `Retry-After`. */
  retryAfterSeconds?: number
}

/** A refusal with its row in {@link wire}. `message` goes to the client: it never holds a token or a key. */
export class WireError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string, options: WireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'WireError'
    this.code = code
    this.details = options.details ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}
