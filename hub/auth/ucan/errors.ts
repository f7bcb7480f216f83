/** Why a UCAN is refused: the closed set of PROTOCOL 2.3. */
export type UcanErrorCode =
  | 'malformed'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'time-bounds'
  | 'wrong-audience'
  | 'principal-mismatch'
  | 'root-not-owner'
  | 'missing-proof'
  | 'revoked'
  | 'too-deep'
  | 'too-large'
  | 'no-grant'
  | 'not-covered'

const summaries: Record<UcanErrorCode, string> = {
  malformed: 'the UCAN is malformed',
  'bad-signature': 'the signature of the UCAN does not verify',
  expired: 'the UCAN has expired',
  'not-yet-valid': 'the UCAN is not yet valid',
  'time-bounds': 'the times of the UCAN go beyond what they may',
  'wrong-audience': 'the UCAN is made out to another audience',
  'principal-mismatch': 'the UCAN was delegated to another key than the one that uses it',
  'root-not-owner': 'the chain does not begin with the owner of the address',
  'missing-proof': 'a proof that the UCAN names is not at hand',
  revoked: 'the UCAN is revoked',
  'too-deep': 'the chain is too long',
  'too-large': 'the UCAN and its proofs are too large',
  'no-grant': 'no grant to this key is in force',
  'not-covered': 'the capabilities do not cover what is asked for',
}

export const ucanErrorCodes = Object.keys(summaries) as readonly UcanErrorCode[]

export interface UcanErrorDetails {
  /** Which token of the chain: 0 is the outermost one, the invocation; `null` where no single one is at fault. */
  link: number | null
  /** The claim or header member at fault, `exp` or `header.alg` for instance. */
  claim?: string
  /** What was expected, to follow the word "expected". Never a part of the token. */
  expected: string
}

/** A refused UCAN. The message names link, claim and expectation; it never holds a token or a part of one. */
export class UcanError extends Error {
  readonly code: UcanErrorCode
  readonly link: number | null
  readonly claim: string | null
  readonly expected: string

  constructor(code: UcanErrorCode, details: UcanErrorDetails) {
    super(`${summaries[code]}${place(details)}: expected ${details.expected}`)
    this.name = 'UcanError'
    this.code = code
    this.link = details.link
    this.claim = details.claim ?? null
    this.expected = details.expected
  }
}

function place({ link, claim }: UcanErrorDetails): string {
  const parts = [...(link === null ? [] : [`link ${link}`]), ...(claim === undefined ? [] : [claim])]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
