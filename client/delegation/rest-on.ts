import type { UcanContent } from '../sign-ucan.ts'
import type { Delegation } from './delegation.ts'
import { DelegationError } from './errors.ts'
import { formatVersion, isOlder, type TokenVersion } from './token.ts'

/** How proofs travel: in the token, beside it, or by whichever suits their size. */
export type ProofForm = 'inline' | 'cid' | 'auto'

/** What a token says of what it rests on. */
export type ProofClaims = Required<Pick<UcanContent, 'version' | 'proofs'>>

/** The oldest version with a JWT, and the one that `@ucans/ucans` reads and makes. */
const inlineVersion: TokenVersion = { minor: 8, patch: 1 }
/** The first version that names proofs by CID. */
const cidVersion: TokenVersion = { minor: 9, patch: 1 }

/**
 * The longest token that holds its proofs. One more such step, and the invocation that holds the result, still fit the
 * 8 KB that common proxies allow for one header.
 */
const maxInlineLength = 4_096

/** Whether a token can hold these delegations: not those that have tokens beside them, nor any of 0.10. */
export function canInline(via: readonly Delegation[]): boolean {
  return via.every(
    ({ isSelfContained, chain }) =>
      isSelfContained && chain.tokens.every(({ version }) => version.minor !== 10),
  )
}

/** The claims of a token that holds its proofs. */
export function inlineProofs(via: readonly Delegation[]): ProofClaims {
  return { version: versionFor(via, inlineVersion), proofs: via.map(({ token }) => token) }
}

/** The claims of a token that names its proofs. */
export function namedProofs(via: readonly Delegation[]): ProofClaims {
  return { version: versionFor(via, cidVersion), proofs: via.map(({ cid }) => cid) }
}

/** The tokens that travel beside one that names these delegations by CID, each once. */
export function tokensBeside(via: readonly Delegation[]): string[] {
  return [...new Set(via.flatMap(({ token, proofs }) => [token, ...proofs]))]
}

/** Signs a token upon others, in the form that suits. */
export async function restOn(
  via: readonly Delegation[],
  form: ProofForm,
  sign: (proofs: ProofClaims) => Promise<string>,
): Promise<{ token: string; proofs: readonly string[] }> {
  if (form === 'inline' && !canInline(via)) {
    throw new DelegationError('too-large', 'what it rests on has tokens beside it: only "cid" is possible')
  }
  const length = via.reduce((sum, { token }) => sum + token.length, 0)
  // Base64 makes of each three bytes four; half a kilobyte is for the rest of the token.
  const isShort = (length * 4) / 3 + 512 <= maxInlineLength
  if (via.length === 0 || form === 'inline' || (form === 'auto' && isShort && canInline(via))) {
    return { token: await sign(inlineProofs(via)), proofs: [] }
  }
  return { token: await sign(namedProofs(via)), proofs: tokensBeside(via) }
}

/** A token is not older in version than any of its proofs (PROTOCOL 2.2). */
function versionFor(via: readonly Delegation[], least: TokenVersion): string {
  const version = via
    .flatMap(({ chain }) => chain.tokens[0]?.version ?? [])
    .reduce((a, b) => (isOlder(a, b) ? b : a), least)
  return formatVersion(version)
}
