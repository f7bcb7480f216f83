import type { Capability } from '../capability.ts'
import { controls, type PublicKey } from '../keys.ts'
import { UcanError } from './errors.ts'
import {
  type ChainToken,
  gatherTokens,
  type SignatureCheck,
  type TokenGraph,
  type VerifiedTokenCache,
} from './graph.ts'
import { checkAlignment, checkAudience } from './principals.ts'
import { type Proof, Prover } from './proving.ts'
import {
  findRevocation,
  planRevocation,
  type RevocationLookups,
  type RevocationPlan,
  rootsAt,
} from './revocation.ts'
import { checkTimes } from './times.ts'

export interface VerifyOptions extends RevocationLookups {
  /**
   * - `invocation`: sent with a request; must expire, within `maxLifetimeSeconds`, and be made out to `isAudience`.
   * - `delegation`: a grant; any audience, unless `isAudience` is given.
   * - `revocation`: something to be revoked, which may have expired and may be an invocation: form, signatures and
   *   alignment only, neither times nor audience.
   */
  purpose: 'invocation' | 'delegation' | 'revocation'
  /** The address that the request is about. */
  address: string
  /** Seconds since 1970; fractions are allowed. */
  now: number
  /** Whether a DID is the one that the outermost token must be made out to. Required for an invocation. */
  isAudience?: ((did: string) => boolean) | undefined
  /** For an invocation; without it there is no bound. */
  maxLifetimeSeconds?: number | undefined
  /** Tokens that came with this one, by CID: see `parseUcansHeader`. */
  proofs?: ReadonlyMap<string, string>
  /** Deposited proofs by CID; `null` where there is none. Asked only once all signatures that were sent are right. */
  resolveProof?: (cid: string) => Promise<string | null>
  verified?: VerifiedTokenCache
  /** In place of the real one, to count or to hand over to another thread. */
  checkSignature?: SignatureCheck
}

/** One token of a verified chain. */
export interface TokenSummary {
  readonly cid: string
  readonly revocationId: string
  readonly issuer: PublicKey
  readonly audience: string
}

/**
 * A chain whose form, signatures, times and principals are right. What it allows at the address of the request is a
 * plain list of capabilities; `revoked` must be looked at by whoever takes the chain for something else.
 */
export interface VerifiedChain {
  readonly address: string
  /** Who issued the outermost token. */
  readonly principal: PublicKey
  readonly audience: string
  readonly cid: string
  readonly revocationId: string
  /** Seconds since 1970; no proof ends earlier. `null` for never. */
  readonly expiration: number | null
  readonly notBefore: number | null
  /** Whether the outermost token names any proof. */
  readonly namesProofs: boolean
  /** All tokens, the outermost first. */
  readonly tokens: readonly TokenSummary[]
  /**
   * The oldest issue time of the tokens with which the owner of the address begins a chain; `null` where one has
   * none, or where there is no such token.
   */
  readonly issuedAt: number | null
  /** Why nothing of the chain is in force: `revoked`, by a revocation or the oldest valid timestamp. */
  readonly revoked: UcanError | null
  /** Capabilities at the address that are proven up to its owner. Empty when `revoked`. */
  readonly capabilities: readonly Capability[]
  /** `gaia/archive` capabilities of which only the store is proven, from a `gaia/store`. Empty when `revoked`. */
  readonly archiveStores: readonly Capability[]
  /** What `capabilities` and `archiveStores` would hold were the chain not revoked; empty when it is not. */
  readonly revokedCapabilities: readonly Capability[]
  /** The outermost token's own capabilities at the address, proven or not. Empty when `revoked`. */
  readonly claimed: readonly Capability[]
  /**
   * The first reason, in PROTOCOL 2.3's order, why the chain does not allow something, for when it is not allowed:
   * `root-not-owner`, `missing-proof`, `revoked`, `not-covered`; `null` if a wholly proven capability serves.
   * @param serves whether holding that capability would allow it
   */
  refusal(serves: (capability: Capability) => boolean): UcanError | null
  /** Looks again for what `revoked` tells, as of now; times count as when the chain was verified. */
  findRevocation(): Promise<UcanError | null>
}

/**
 * Verifies a UCAN and every proof that it rests on by PROTOCOL 2.2, pure but for the look-ups that are handed in.
 * The order is that of PROTOCOL 2.3 and the first failure is told: form and limits, signatures, times of each token
 * and then between them, audience and alignment. Root, revocation and coverage depend on what the chain is used for:
 * they are in the result, already decided for the address.
 * @throws {UcanError} any code but `no-grant`; or whatever a look-up rejects with
 */
export async function verifyChain(jwt: string, options: VerifyOptions): Promise<VerifiedChain> {
  const graph = await gatherTokens(jwt, options, options.purpose === 'invocation')
  if (options.purpose !== 'revocation') checkUse(graph, options)
  checkAlignment(graph)
  return summarize(graph, options)
}

function checkUse(graph: TokenGraph, options: VerifyOptions): void {
  const { purpose, now, isAudience, maxLifetimeSeconds = null } = options
  checkTimes(graph, now, purpose === 'invocation' ? maxLifetimeSeconds : null)
  if (isAudience !== undefined) checkAudience(graph.outermost, isAudience)
  else if (purpose === 'invocation') throw new TypeError('an invocation needs isAudience')
}

async function summarize(graph: TokenGraph, options: VerifyOptions): Promise<VerifiedChain> {
  const { address, now } = options
  const { ucan } = graph.outermost
  const { claims, isRooted, issuedAt, plan, whole, storeOnly, tokens } = judge(graph, options)
  const look = () => findRevocation(plan, options, now)
  const revoked = await look()
  return {
    address,
    principal: ucan.issuer,
    audience: ucan.audience,
    cid: ucan.cid,
    revocationId: ucan.revocationId,
    expiration: ucan.expiration,
    notBefore: ucan.notBefore,
    namesProofs: ucan.proofs.length > 0,
    tokens,
    issuedAt,
    revoked,
    capabilities: revoked === null ? whole : [],
    archiveStores: revoked === null ? storeOnly : [],
    revokedCapabilities: revoked === null ? [] : [...whole, ...storeOnly],
    claimed: revoked === null ? claims.map(({ capability }) => capability) : [],
    refusal: (serves) =>
      refusalOf(
        graph,
        claims.filter(({ capability }) => serves(capability)),
        { isRooted, revoked },
      ),
    findRevocation: look,
  }
}

/** All about a chain at an address that neither time nor revocations change. */
interface Judgement {
  readonly claims: readonly Claim[]
  /** Whether a token of it is by a key that controls the address. */
  readonly isRooted: boolean
  readonly issuedAt: number | null
  readonly plan: RevocationPlan
  readonly whole: readonly Capability[]
  readonly storeOnly: readonly Capability[]
  readonly tokens: readonly TokenSummary[]
}

type Question = Pick<VerifyOptions, 'address' | 'purpose'>

/** The last of each graph: a chain comes again for what it came for before. */
const lastJudgements = new WeakMap<TokenGraph, Question & Judgement>()

function judge(graph: TokenGraph, { address, purpose }: Question): Judgement {
  const last = lastJudgements.get(graph)
  if (last?.address === address && last.purpose === purpose) return last
  const judgement = { address, purpose, ...judgeAnew(graph, { address, purpose }) }
  lastJudgements.set(graph, judgement)
  return judgement
}

function judgeAnew(graph: TokenGraph, { address, purpose }: Question): Judgement {
  const { outermost } = graph
  const tokens = [...graph.tokens.values()]
  const prover = new Prover(graph)
  const claims = outermost.ucan.capabilities
    .filter((capability) => capability.address === address)
    .map((capability) => ({ capability, proof: prover.prove(outermost, capability) }))
  const isRooted = tokens.some((token) => controls(token.ucan.issuer, address))
  // What an invocation says of other addresses is of no use there, so nothing that was said there is about it.
  const delegations = tokens.filter(({ link }) => link > 0 || purpose === 'delegation')
  return {
    claims,
    isRooted,
    issuedAt: oldest(rootsAt(graph, address).map((root) => root.ucan.issuedAt)),
    plan: planRevocation(graph, address, isRooted ? delegations : []),
    whole: withExtent(claims, 'all'),
    storeOnly: withExtent(claims, 'store-only'),
    tokens: tokens.map(summarizeToken),
  }
}

interface Claim {
  readonly capability: Capability
  readonly proof: Proof
}

function withExtent(claims: readonly Claim[], extent: Proof['extent']): Capability[] {
  return claims.filter(({ proof }) => proof.extent === extent).map(({ capability }) => capability)
}

function summarizeToken({ ucan }: ChainToken): TokenSummary {
  const { cid, revocationId, issuer, audience } = ucan
  return { cid, revocationId, issuer, audience }
}

function oldest(times: ReadonlyArray<number | null>): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 || known.length < times.length ? null : Math.min(...known)
}

function refusalOf(
  graph: TokenGraph,
  serving: readonly Claim[],
  { isRooted, revoked }: { isRooted: boolean; revoked: UcanError | null },
): UcanError | null {
  if (serving.length > 0 && !isRooted) return missingProof(graph) ?? rootNotOwner(graph)
  if (revoked !== null) return revoked
  if (serving.some(({ proof }) => proof.extent === 'all')) return null
  const failures = serving.map(({ proof }) => proof.failure).filter((failure) => failure !== null)
  if (failures.length === 0) {
    return new UcanError('not-covered', { link: 0, expected: 'a capability that covers the request' })
  }
  return missingProof(graph) ?? failures.reduce((a, b) => ((b.link ?? 0) > (a.link ?? 0) ? b : a))
}

function missingProof({ missing }: TokenGraph): UcanError | null {
  const [first] = missing
  if (first === undefined) return null
  return new UcanError('missing-proof', {
    link: first.link,
    claim: 'prf',
    expected: 'the proof in the ucans header, or deposited as a grant',
  })
}

function rootNotOwner(graph: TokenGraph): UcanError {
  const link = Math.max(...[...graph.tokens.values()].map((token) => token.link))
  return new UcanError('root-not-owner', { link, claim: 'iss', expected: 'a key that controls the address' })
}
