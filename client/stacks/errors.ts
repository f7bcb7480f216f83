import { MandateError, type MandateErrorDetails } from '../errors.ts'

/** Why a file of `@stacks/storage` was not opened. */
export type StacksFileErrorCode =
  | 'not-encrypted'
  | 'decryption-failed'
  | 'not-signed'
  | 'bad-signature'
  | 'wrong-signer'

/**
 * A file of `@stacks/storage` that does not open: it is `not-encrypted`; it was encrypted for another key or was
 * changed (`decryption-failed`); it is `not-signed`, its signature is not of its content (`bad-signature`), or is
 * somebody else's than the owner's of the bucket (`wrong-signer`).
 */
export class StacksFileError extends MandateError {
  override readonly name = 'StacksFileError'
  declare readonly code: StacksFileErrorCode

  constructor(code: StacksFileErrorCode, message: string, details: Pick<MandateErrorDetails, 'cause'> = {}) {
    super(message, { ...details, code })
  }
}
