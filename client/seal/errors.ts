import { MandateError, type MandateErrorDetails } from '../errors.ts'

/** Why a sealed file, a key statement or an index is not taken. */
export type SealErrorCode =
  /** The bytes are no envelope, or no frames. */
  | 'malformed'
  /** A format that this version does not know. */
  | 'unsupported'
  /** The signature is not that of the one who is named. */
  | 'bad-signature'
  /** Made for another address or another path. */
  | 'wrong-place'
  /** None of the keys at hand opens it. */
  | 'not-a-recipient'
  /** Whoever signed the envelope did not know its data key, or the data key was swapped. */
  | 'bad-proof'
  /** Signed by somebody who is not expected to seal here. */
  | 'unknown-sealer'
  /** Older than a version that was seen before. */
  | 'rolled-back'
  /** Another file than the one that was seen before, under the same version. */
  | 'forked'
  /** For all to read, where a sealed file was seen before. */
  | 'unsealed'
  /** The content was changed, cut, or belongs to something else. */
  | 'damaged'
  /** The content that the envelope names is not there. */
  | 'content-missing'
  /** The content was replaced while it was read. */
  | 'replaced'
  /** A recipient publishes another key than the one that was pinned. */
  | 'key-changed'
  /** The key was shown for confirmation and not confirmed. */
  | 'unconfirmed-key'
  /** No encryption key of that recipient is known. */
  | 'no-encryption-key'

/** A sealed file that is not opened, a key that is not taken: see {@link SealErrorCode}. */
export class SealError extends MandateError {
  override readonly name = 'SealError'
  declare readonly code: SealErrorCode

  constructor(code: SealErrorCode, message: string, details: Omit<MandateErrorDetails, 'code'> = {}) {
    super(message, { ...details, code })
  }
}
