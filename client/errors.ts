/** What every error of this library carries besides its message. */
export interface MandateErrorDetails {
  /** Why, in kebab-case, for programs: the `code` of the hub where it gave one. */
  code?: string
  /** HTTP status of the answer; `null` where there was none. */
  status?: number | null
  /** The `error` member of the hub's answer: the class name that Gaia's clients know. */
  hubError?: string | null
  cause?: unknown
  /** Seconds after which the hub wants to be asked again. */
  retryAfterSeconds?: number | null
  /** The etag now at the path, where the hub told it. */
  etag?: string | null
}

/**
 * Root of all errors that this library makes. `code` is for programs, `message` for people; neither ever holds a
 * token or a key. An aborted call rejects with the reason of its `AbortSignal` instead.
 */
export class MandateError extends Error {
  /** The name of the class; written out in each, because bundlers rename classes. */
  override readonly name: string = 'MandateError'
  /** Why, in kebab-case: `not-found`, `expired`, `not-covered`, … */
  readonly code: string
  /** HTTP status of the answer that refused; `null` where there was none. */
  readonly status: number | null
  /** The `error` member of the hub's answer, `null` where there was none. */
  readonly hubError: string | null
  /** Seconds after which the hub wants to be asked again, `null` where it did not say. */
  readonly retryAfterSeconds: number | null
  /** The etag now at the path, as the hub told it with a failed precondition; else `null`. */
  readonly etag: string | null
  /**
   * Whether an earlier try of the same call was sent and its answer never came: what it was to change may have been
   * changed.
   */
  answerLost = false

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = details.code ?? 'failed'
    this.status = details.status ?? null
    this.hubError = details.hubError ?? null
    this.retryAfterSeconds = details.retryAfterSeconds ?? null
    this.etag = details.etag ?? null
  }
}

/** An argument, or a request, that cannot be right: `invalid-input`. */
export class InvalidInputError extends MandateError {
  override readonly name: string = 'InvalidInputError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'invalid-input', ...details })
  }
}

/** A path that no hub takes (PROTOCOL 1.7): `bad-path`. */
export class BadPathError extends MandateError {
  override readonly name: string = 'BadPathError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'bad-path', ...details })
  }
}

/**
 * The credential was refused (401). `code` says why: `expired`, `revoked`, `no-grant`, `token-too-old`,
 * `bad-signature`, `wrong-audience`, …; `unauthorized` where the hub gave no reason.
 */
export class UnauthorizedError extends MandateError {
  override readonly name: string = 'UnauthorizedError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'unauthorized', ...details })
  }
}

/** The hub wants social proofs first (402): `not-enough-proofs`. */
export class NotEnoughProofsError extends MandateError {
  override readonly name: string = 'NotEnoughProofsError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'not-enough-proofs', ...details })
  }
}

/** The credential is valid and does not allow this (403): `not-covered`. */
export class NotAuthorizedError extends MandateError {
  override readonly name: string = 'NotAuthorizedError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'not-covered', ...details })
  }
}

/** There is no such file, or no such grant (404): `not-found`. */
export class NotFoundError extends MandateError {
  override readonly name: string = 'NotFoundError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'not-found', ...details })
  }
}

/** Somebody else is writing to the path at this moment (409): `conflict`. */
export class ConflictError extends MandateError {
  override readonly name: string = 'ConflictError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'conflict', ...details })
  }
}

/** The file is another version than the one that was asked for (412): `precondition-failed`. */
export class PreconditionFailedError extends MandateError {
  override readonly name: string = 'PreconditionFailedError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'precondition-failed', ...details })
  }
}

/** Larger than the hub takes (413): `payload-too-large`. */
export class PayloadTooLargeError extends MandateError {
  override readonly name: string = 'PayloadTooLargeError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'payload-too-large', ...details })
  }
}

/** The range lies outside of the file (416): `range-not-satisfiable`. */
export class RangeNotSatisfiableError extends MandateError {
  override readonly name: string = 'RangeNotSatisfiableError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'range-not-satisfiable', ...details })
  }
}

/** Too many requests (429): `rate-limited`, after the tries that the options allow. */
export class RateLimitedError extends MandateError {
  override readonly name: string = 'RateLimitedError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'rate-limited', ...details })
  }
}

/** The hub, or the storage behind it, failed (5xx): `server-error`, after the tries that the options allow. */
export class ServerError extends MandateError {
  override readonly name: string = 'ServerError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'server-error', ...details })
  }
}

/**
 * No answer: `network`. For a call that changes something, the hub may have done it all the same where
 * `answerLost` is true.
 */
export class NetworkError extends MandateError {
  override readonly name: string = 'NetworkError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'network', ...details })
  }
}

/** A file that came short or changed on the way: `incomplete-transfer` or `changed-while-reading`. */
export class TransferError extends MandateError {
  override readonly name: string = 'TransferError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'incomplete-transfer', ...details })
  }
}

/**
 * Whether an `update` took effect cannot be known: its answer was lost, and the file has changed since:
 * `outcome-unknown`. Nothing was applied twice. Read the file and decide.
 */
export class OutcomeUnknownError extends MandateError {
  override readonly name: string = 'OutcomeUnknownError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'outcome-unknown', ...details })
  }
}

/** The hub answered something that no hub answers: `bad-answer`. */
export class BadAnswerError extends MandateError {
  override readonly name: string = 'BadAnswerError'

  constructor(message: string, details: MandateErrorDetails = {}) {
    super(message, { code: 'bad-answer', ...details })
  }
}
