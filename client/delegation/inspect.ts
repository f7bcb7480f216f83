import { type SignatureState, verifySignature } from '../crypto/verify.ts'
import { addressOfDid, namesKey } from '../did.ts'
import type { UcanCapability } from '../sign-ucan.ts'
import { attenuationOf, type Capability, type Extent, formatCapability } from './capabilities.ts'
import { type Chain, type ChainToken, proofsOf } from './chain.ts'
import type { Delegation } from './delegation.ts'
import type { DelegationErrorCode } from './errors.ts'
import { clockLeewaySeconds } from './limits.ts'
import { provenExtents } from './proving.ts'
import { formatVersion, signedParts, type UcanToken } from './token.ts'

/** Something that keeps a delegation from being of use. */
export interface Problem {
  /** As a hub would name it (PROTOCOL 2.3). */
  readonly code: DelegationErrorCode
  /** Which token: 0 is the delegation itself, each proof is one deeper. */
  readonly link: number
  /** The claim at fault: `exp`, `iss`, … */
  readonly claim: string
  /** In words, for people. */
  readonly message: string
}

/** A capability of one link, and whether it comes from the owner of the address. */
export interface InspectedCapability extends UcanCapability {
  /** `stores`: of a `gaia/archive` that comes from a `gaia/store`, only the stores. */
  readonly proven: Extent
}

/** One token of a chain, as data. Times are seconds since 1970. */
export interface InspectedLink {
  readonly link: number
  readonly cid: string
  /** Of the UCAN specification: `0.8.1`. */
  readonly version: string
  readonly issuer: string
  /** The address that the issuer's key owns. */
  readonly issuerAddress: string
  readonly audience: string
  readonly capabilities: readonly InspectedCapability[]
  /** `null`: as soon as its proofs. */
  readonly notBefore: number | null
  /** The first second in which it is not valid; `null` for never. */
  readonly expiration: number | null
  /** `null` where it does not say: it then ends when the owner revokes all. */
  readonly issuedAt: number | null
  /** CIDs of what it rests on. */
  readonly proofs: readonly string[]
  readonly signature: SignatureState
}

/** What a chain says, and whether it is of use as far as can be known without asking a hub. */
export interface Inspection {
  /**
   * Whether nothing is wrong with it now. A hub may still refuse it: it alone knows of revocations. Where a link's
   * signature is `unchecked` this platform could not tell.
   */
  readonly valid: boolean
  /** What is wrong, the outermost link first; empty where `valid`. */
  readonly problems: readonly Problem[]
  /** The delegation itself first, what it rests on after it. */
  readonly links: readonly InspectedLink[]
}

/**
 * Looks at every link of a delegation: signatures, who handed on to whom, times of each and between them, and whether
 * each capability comes, link by link, from the key that controls its address (PROTOCOL 2.2). All that is wrong is told,
 * not just the first of it. Nothing is sent.
 * @param options.now milliseconds since 1970; the clock
 */
export async function inspect(
  { chain }: Delegation,
  { now = Date.now }: { now?: () => number } = {},
): Promise<Inspection> {
  const nowMs = now()
  const extents = provenExtents(chain)
  const signatures = await Promise.all(chain.tokens.map(signatureState))
  const links = chain.tokens.map((token, i) => describe(token, extents, signatures[i] ?? 'unchecked'))
  const problems = chain.tokens.flatMap((token, i) => [
    ...(signatures[i] === 'invalid' ? [badSignature(token)] : []),
    ...windowProblems(token, Math.floor(nowMs / 1000)),
    ...proofsOf(chain, token).flatMap((proof) => alignmentProblems(chain, token, proof)),
    ...chain.missing.filter(({ link }) => link === token.link).map(missingProof),
    ...token.capabilities.flatMap((capability) => coverageProblems(chain, token, capability, extents)),
  ])
  return { valid: problems.length === 0, problems, links }
}

function describe(
  token: ChainToken,
  extents: ReadonlyMap<Capability, Extent>,
  signature: SignatureState,
): InspectedLink {
  const { link, cid, issuer, audience, notBefore, expiration, issuedAt } = token
  return {
    link,
    cid,
    version: formatVersion(token.version),
    issuer,
    issuerAddress: addressOfDid(issuer),
    audience,
    capabilities: token.capabilities.map((capability) => ({
      ...formatCapability(capability),
      proven: extents.get(capability) ?? 'nothing',
    })),
    notBefore,
    expiration,
    issuedAt,
    proofs: token.proofs.map((proof) => proof.cid),
    signature,
  }
}

function problem(code: DelegationErrorCode, link: number, claim: string, why: string): Problem {
  return { code, link, claim, message: `link ${link}: ${why}` }
}

function badSignature({ link, issuer }: ChainToken): Problem {
  return problem('bad-signature', link, 'signature', `it was not signed by ${issuer}, or changed since`)
}

function missingProof({ cid, link }: { cid: string; link: number }): Problem {
  return problem('missing-proof', link, 'prf', `it rests on ${cid}, which is not here`)
}

function windowProblems({ link, notBefore, expiration }: ChainToken, now: number): Problem[] {
  const found: Problem[] = []
  if (expiration !== null && now >= expiration) {
    found.push(problem('expired', link, 'exp', `it expired at ${when(expiration)}`))
  }
  if (notBefore !== null && notBefore > now + clockLeewaySeconds) {
    found.push(problem('not-yet-valid', link, 'nbf', `it is valid from ${when(notBefore)} on`))
  }
  if (notBefore !== null && expiration !== null && notBefore >= expiration) {
    found.push(problem('time-bounds', link, 'nbf', 'it ends before it begins'))
  }
  return found
}

function alignmentProblems(chain: Chain, child: ChainToken, proof: ChainToken): Problem[] {
  const { link } = child
  const found: Problem[] = []
  if (!namesKey(proof.audience, child.issuer)) {
    const why = `its issuer ${child.issuer} is not ${proof.audience}, to whom its proof was given`
    found.push(problem('principal-mismatch', link, 'iss', why))
  }
  const ends = proof.expiration
  if (ends !== null && (child.expiration === null || child.expiration > ends)) {
    found.push(problem('time-bounds', link, 'exp', `its proof ends before it, at ${when(ends)}`))
  }
  const begins = beginOf(chain, proof)
  if (child.notBefore !== null && child.notBefore < begins) {
    found.push(problem('time-bounds', link, 'nbf', `its proof begins after it, at ${when(begins)}`))
  }
  return found
}

/** First second of a token; one that does not say begins with the last of its proofs. */
function beginOf(chain: Chain, token: ChainToken): number {
  return token.notBefore ?? Math.max(0, ...proofsOf(chain, token).map((proof) => beginOf(chain, proof)))
}

/** Told at the link that goes beyond its proofs; those that rest on it are not told of it again. */
function coverageProblems(
  chain: Chain,
  token: ChainToken,
  capability: Capability,
  extents: ReadonlyMap<Capability, Extent>,
): Problem[] {
  if (extents.get(capability) !== 'nothing') return []
  const { link, issuer } = token
  const what = `${capability.ability} on ${formatCapability(capability).with}`
  if (token.proofs.length === 0) {
    return [problem('root-not-owner', link, 'iss', `${issuer} does not control the address of ${what}`)]
  }
  const held = proofsOf(chain, token).flatMap((proof) => proof.capabilities)
  const isMissing = chain.missing.some((missing) => missing.link === link)
  if (isMissing || held.some((one) => attenuationOf(capability, one).extent !== 'nothing')) return []
  return [problem('not-covered', link, 'att', `${what} goes beyond what its proofs hold`)]
}

function when(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString()
}

function signatureState({ jwt, issuer }: UcanToken): Promise<SignatureState> {
  const { input, signature } = signedParts(jwt)
  return verifySignature(issuer, new TextEncoder().encode(input), signature)
}
