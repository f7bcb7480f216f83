import { MandateError } from '../errors.ts'

/**
 * Why a delegation cannot be made, read or used. The first block are codes that hubs use as well (PROTOCOL 2.3), the
 * second one says what only a client can run into.
 */
export type DelegationErrorCode =
  | 'malformed'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'time-bounds'
  | 'principal-mismatch'
  | 'root-not-owner'
  | 'missing-proof'
  | 'too-deep'
  | 'too-large'
  | 'not-covered'
  // What only a client says.
  | 'invalid-recipient'
  | 'invalid-path'
  | 'invalid-ability'
  | 'invalid-caveats'
  | 'invalid-expiry'
  | 'no-delegation'
  | 'invalid-wallet'

/** Where in a chain something is wrong. */
export interface DelegationErrorPlace {
  /** Which token: 0 is the outermost one, the delegation itself; each proof is one deeper. */
  link?: number
  /** The claim at fault: `exp`, `att[0].with`, `header.alg`. */
  claim?: string
}

/**
 * A delegation that cannot be made, read or used. `code` is in kebab-case and stays the same; `message` is for people
 * and never holds a token or a part of one.
 */
export class DelegationError extends MandateError {
  override readonly name = 'DelegationError'
  declare readonly code: DelegationErrorCode
  /** Which token of the chain, 0 being the outermost one; `null` where no single one is at fault. */
  readonly link: number | null
  /** The claim at fault, `null` where none is. */
  readonly claim: string | null

  constructor(code: DelegationErrorCode, message: string, place: DelegationErrorPlace = {}) {
    super(message, { code })
    this.link = place.link ?? null
    this.claim = place.claim ?? null
  }
}
