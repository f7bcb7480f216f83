import { LRUCache } from 'lru-cache'
import type { Address } from '../../drivers/key.ts'
import type { WireError } from '../../http/errors.ts'
import { type HubInstruments, noHubInstruments } from '../instruments.ts'
import type { AuthorityStore } from './authority-store.ts'
import { isHubDid } from './hub-did.ts'
import type { PublicKey } from './keys.ts'
import { refuseCredential, refusingUcan } from './refusal.ts'
import {
  cidOf,
  namesKey,
  type Ucan,
  type VerifiedChain,
  type VerifyOptions,
  verifyChain,
} from './ucan/index.ts'

export interface ChainsOptions {
  authorityStore: AuthorityStore
  hubDids: ReadonlySet<string>
  /** How far ahead the `exp` of an invocation may lie, in seconds. */
  maxInvocationLifetimeSeconds: number
  instruments?: Pick<HubInstruments, 'cache'>
}

/** One token with the tokens that came beside it. */
export interface SentChain {
  readonly jwt: string
  /** By CID. */
  readonly proofs: ReadonlyMap<string, string>
}

/**
 * The verifier of chains, with what it looks up and remembers in this hub: deposited proofs, revocations, and
 * tokens whose signatures it has verified. All reject with a WireError, or a DriverError where storage cannot tell.
 */
export interface Chains {
  /** A UCAN as credential of a request. @param now seconds since 1970 */
  invocation(sent: SentChain, address: Address, now: number): Promise<VerifiedChain>
  /** A delegation, made out to this key where one is given. */
  delegation(sent: SentChain, address: Address, now: number, audience?: PublicKey): Promise<VerifiedChain>
  /** A token that is to be revoked: form, signatures and principals only. */
  revocation(sent: SentChain, address: Address, now: number): Promise<VerifiedChain>
  /** Why a chain that was in force no longer is, `null` while it is: revocations only, from memory where they are. */
  endOf(chain: VerifiedChain): Promise<WireError | null>
}

/** What a chain is verified for. */
type Use = Pick<VerifyOptions, 'purpose' | 'isAudience' | 'maxLifetimeSeconds'>

/** Verified tokens that are kept: by number and by an estimate of their bytes. */
const maxVerifiedTokens = 20_000
const maxVerifiedBytes = 64 * 1024 * 1024

export function chains(options: ChainsOptions): Chains {
  const { authorityStore, hubDids, maxInvocationLifetimeSeconds, instruments = noHubInstruments } = options
  const remembered = new LRUCache<string, Ucan>({
    max: maxVerifiedTokens,
    maxSize: maxVerifiedBytes,
    sizeCalculation: estimateBytes,
  })
  const verified: NonNullable<VerifyOptions['verified']> = {
    get(cid) {
      const known = remembered.get(cid)
      instruments.cache('ucan_tokens', known !== undefined)
      return known
    },
    set: (cid, token) => remembered.set(cid, token),
  }

  // A token may speak of other addresses too; their owners' words count there.
  const oldestValidSeconds = (place: string) => authorityStore.oldestValidSeconds(place as Address)
  const isRevoked = (place: string, revocationId: string) =>
    authorityStore.isRevoked(place as Address, revocationId)

  function verify(
    { jwt, proofs }: SentChain,
    address: Address,
    now: number,
    { purpose, isAudience, maxLifetimeSeconds }: Use,
  ): Promise<VerifiedChain> {
    const resolveProof = depositedProofs(authorityStore, address)
    // Written out: spreading options into options would take as long as all that is looked up for them.
    const options: VerifyOptions = {
      purpose,
      isAudience,
      maxLifetimeSeconds,
      address,
      now,
      verified,
      proofs,
      resolveProof,
      oldestValidSeconds,
      isRevoked,
    }
    return refusingUcan(verifyChain(jwt, options))
  }

  const invocations: Use = {
    purpose: 'invocation',
    isAudience: (did) => isHubDid(did, hubDids),
    maxLifetimeSeconds: maxInvocationLifetimeSeconds,
  }

  return {
    invocation: (sent, address, now) => verify(sent, address, now, invocations),
    delegation: (sent, address, now, audience) =>
      verify(sent, address, now, {
        purpose: 'delegation',
        isAudience: audience === undefined ? undefined : (did) => namesKey(did, audience),
      }),
    revocation: (sent, address, now) => verify(sent, address, now, { purpose: 'revocation' }),
    async endOf(chain) {
      if ((await chain.findRevocation()) === null) return null
      return refuseCredential('the delegation was revoked while the request was under way', 'revoked')
    },
  }
}

/** Tokens by their CIDs, as the verifier looks them up. */
export function byCid(jwts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(jwts.map((jwt) => [cidOf(jwt), jwt]))
}

/** A deposited grant brings along the proofs that were deposited with it. */
function depositedProofs(store: AuthorityStore, address: Address): (cid: string) => Promise<string | null> {
  const brought = new Map<string, string>()
  return async (cid) => {
    const known = brought.get(cid)
    if (known !== undefined) return known
    const grant = await store.grant(address, cid)
    if (grant === null) return null
    for (const [proofCid, proof] of byCid(grant.proofs)) brought.set(proofCid, proof)
    return grant.ucan
  }
}

/** Whoever holds its proofs holds them decoded too, which takes some times as much as their text. */
function estimateBytes({ capabilityCount, proofs }: Ucan): number {
  return 1500 + capabilityCount * 400 + 6 * proofs.reduce((sum, { jwt }) => sum + (jwt?.length ?? 0), 0)
}
