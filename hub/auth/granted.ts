import type { Address } from '../../drivers/key.ts'
import { WireError } from '../../http/errors.ts'
import type { AuthorityStore } from './authority-store.ts'
import type { Capability } from './capability.ts'
import { byCid, type Chains } from './chains.ts'
import { addressOf, type PublicKey } from './keys.ts'
import { refuseCredential, refuseUcan, refuseUncovered } from './refusal.ts'
import { namesKey, type VerifiedChain } from './ucan/index.ts'

/** What the deposited grants of an address give to one key. */
export interface Granted {
  /** Of every grant in force. */
  readonly capabilities: readonly Capability[]
  /** Why none of it allows an operation (PROTOCOL 2.3: `revoked`, `not-covered` or `no-grant`). */
  refusal(serves: (capability: Capability) => boolean, reason: string): WireError
  /** Whether every grant that was in force still is, by what is known now of revocations. */
  isStillInForce(): Promise<boolean>
}

/**
 * Looks through the grants of an address for those made out to a key and verifies each again: whoever can write to
 * the storage can withhold a grant, never forge one.
 * @param now seconds since 1970
 */
export async function grantedTo(
  principal: PublicKey,
  address: Address,
  now: number,
  { authorityStore, chains }: { authorityStore: AuthorityStore; chains: Chains },
): Promise<Granted> {
  const grants = await authorityStore.grants(address)
  const verified: VerifiedChain[] = []
  for (const { ucan, proofs } of grants.filter(({ audience }) => namesKey(audience, principal))) {
    const chain = await verifiedOrNull(
      chains.delegation({ jwt: ucan, proofs: byCid(proofs) }, address, now, principal),
    )
    if (chain !== null) verified.push(chain)
  }
  const inForce = verified.filter((chain) => provenCapabilities(chain).length > 0)
  return {
    capabilities: inForce.flatMap(provenCapabilities),
    refusal: (serves, reason) => refusal(verified, inForce.length > 0, principal, serves, reason),
    async isStillInForce() {
      const ends = await Promise.all(inForce.map((chain) => chains.endOf(chain)))
      return ends.every((end) => end === null)
    },
  }
}

/** What a chain has proven, the stores that a `gaia/archive` got from a `gaia/store` among it. */
export function provenCapabilities({ capabilities, archiveStores }: VerifiedChain): Capability[] {
  return [
    ...capabilities,
    ...archiveStores.map((capability) => ({ ...capability, storeOnly: true as const })),
  ]
}

/** A grant that is expired, or was damaged in storage, is not in force; that storage cannot be read is no such case. */
async function verifiedOrNull(verification: Promise<VerifiedChain>): Promise<VerifiedChain | null> {
  try {
    return await verification
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

function refusal(
  verified: readonly VerifiedChain[],
  isAnyInForce: boolean,
  principal: PublicKey,
  serves: (capability: Capability) => boolean,
  reason: string,
): WireError {
  const revoked = verified.find(({ revokedCapabilities }) => revokedCapabilities.some(serves))?.revoked
  if (revoked !== undefined && revoked !== null) return refuseUcan(revoked)
  if (isAnyInForce) return refuseUncovered(`${reason} among those granted to this key`)
  return refuseCredential(
    `the key that signed controls ${addressOf(principal)}, not the address of the request, ` +
      'and no grant to it is in force there',
    'no-grant',
  )
}
