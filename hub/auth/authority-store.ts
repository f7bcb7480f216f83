import type { Driver } from '../../drivers/driver.ts'
import type { Address } from '../../drivers/key.ts'
import { type CacheName, type HubInstruments, noHubInstruments } from '../instruments.ts'
import { FactCache } from './fact-cache.ts'
import { once } from './once.ts'
import { listGrantIds, readGrant, type StoredGrant, storeGrant } from './records/grants.ts'
import {
  isRevocationStored,
  listRevocations,
  type Revocation,
  type RevocationList,
  storeRevocation,
} from './records/revocations.ts'
import { raiseTimestamp, readTimestamp } from './records/timestamp.ts'

export interface AuthorityStoreOptions {
  driver: Driver
  /** Facts of each kind kept in memory. */
  cacheSize: number
  /** The promise of PROTOCOL 2.6: how long another hub's revocation may go unseen. 0 asks storage each time. */
  revocationMaxAgeSeconds: number
  instruments?: Pick<HubInstruments, 'cache'>
}

/**
 * What owners have said about their addresses, kept in the driver beside their files and nowhere else. Where it
 * cannot be read, every call rejects: no write is let through on a guess.
 */
export interface AuthorityStore {
  /** The address's oldest valid timestamp in whole seconds, `null` where none was set. */
  oldestValidSeconds(address: Address): number | null | Promise<number | null>
  /** Raises the oldest valid timestamp; a lower one changes nothing. */
  raiseOldestValid(address: Address, seconds: number): Promise<void>
  isRevoked(address: Address, revocationId: string): boolean | Promise<boolean>
  /** For good: there is no way back. */
  revoke(address: Address, revocation: Revocation): Promise<void>
  /** One deposited grant by its CID, `null` where there is none. */
  grant(address: Address, cid: string): Promise<StoredGrant | null>
  /** Every deposited grant of an address, expired and revoked ones included. */
  grants(address: Address): Promise<StoredGrant[]>
  /** @returns whether it was new; depositing it again changes nothing */
  deposit(address: Address, grant: StoredGrant): Promise<boolean>
}

/** Bytes of grants, and of lists of revocations, kept in memory for all addresses together. */
const maxGrantCacheBytes = 64 * 1024 * 1024
const maxRevocationListBytes = 64 * 1024 * 1024

/** Grants that are read at the same time for one address. */
const readsAtOnce = 32

interface Known<Value> {
  readonly value: Value
}

export function authorityStore({
  driver,
  cacheSize,
  revocationMaxAgeSeconds,
  instruments = noHubInstruments,
}: AuthorityStoreOptions): AuthorityStore {
  const told = (name: CacheName) => ({ onLookup: (isHit: boolean) => instruments.cache(name, isHit) })
  const bounds = { maxEntries: cacheSize, maxAgeMs: revocationMaxAgeSeconds * 1000 }
  const timestamps = new FactCache<Known<number | null>>({
    ...bounds,
    ...told('timestamps'),
    load: async (address) => ({ value: (await readTimestamp(driver, address as Address)).seconds }),
    merge: (known, loaded) => ((known.value ?? -1) > (loaded.value ?? -1) ? known : loaded),
  })
  const revocationLists = new FactCache<RevocationList>({
    ...bounds,
    ...told('revocations'),
    maxBytes: maxRevocationListBytes,
    bytesOf: ({ ids }) => 200 + ids.size * 150,
    load: (address) => listRevocations(driver, address as Address),
    merge: (known, loaded) => ({
      ids: loaded.ids.size === 0 ? known.ids : new Set([...known.ids, ...loaded.ids]),
      isWhole: known.isWhole && loaded.isWhole,
    }),
  })
  /** For addresses that have more revocations than one listing tells. */
  const revocations = new FactCache<Known<boolean>>({
    ...bounds,
    load: async (name) => ({ value: await isRevocationStored(driver, ...splitName(name)) }),
    merge: (known, loaded) => (known.value ? known : loaded),
  })
  const grantIds = new FactCache<ReadonlySet<string>>({
    ...bounds,
    ...told('grant_lists'),
    load: async (address) => new Set(await listGrantIds(driver, address as Address)),
    merge: (known, loaded) => new Set([...known, ...loaded]),
  })
  const grants = new FactCache<Known<StoredGrant | null>>({
    ...bounds,
    ...told('grants'),
    maxBytes: maxGrantCacheBytes,
    bytesOf: ({ value }) => (value === null ? 100 : value.ucan.length + value.proofs.join().length + 500),
    // A grant is written once: only its absence can become untrue.
    isLasting: ({ value }) => value !== null,
    load: async (name) => ({ value: await readGrant(driver, ...splitName(name)) }),
    merge: (known, loaded) => (known.value !== null ? known : loaded),
  })

  return {
    oldestValidSeconds: (address) => once(timestamps.get(address), ({ value }) => value),
    async raiseOldestValid(address, seconds) {
      timestamps.learn(address, { value: await raiseTimestamp(driver, address, seconds) })
    },
    isRevoked: (address, revocationId) =>
      once(revocationLists.get(address), ({ ids, isWhole }): boolean | Promise<boolean> => {
        if (ids.has(revocationId)) return true
        return isWhole ? false : once(revocations.get(joinName(address, revocationId)), ({ value }) => value)
      }),
    async revoke(address, revocation) {
      await storeRevocation(driver, address, revocation)
      const { revocationId } = revocation
      revocationLists.learnPart(address, { ids: new Set([revocationId]), isWhole: true })
      revocations.learn(joinName(address, revocationId), { value: true })
    },
    async grant(address, cid) {
      return (await grants.get(joinName(address, cid))).value
    },
    async grants(address) {
      const found: StoredGrant[] = []
      for (const cids of batches([...(await grantIds.get(address))], readsAtOnce)) {
        const batch = await Promise.all(
          cids.map(async (cid) => (await grants.get(joinName(address, cid))).value),
        )
        found.push(...batch.filter((grant) => grant !== null))
      }
      return found
    },
    async deposit(address, grant) {
      const isNew = await storeGrant(driver, address, grant)
      grants.learn(joinName(address, grant.cid), { value: grant })
      grantIds.learnPart(address, new Set([grant.cid]))
      return isNew
    },
  }
}

function* batches<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}

/** Neither an address nor a CID nor a hash holds a slash. */
function joinName(address: Address, id: string): string {
  return `${address}/${id}`
}

function splitName(name: string): [Address, string] {
  const [address = '', id = ''] = name.split('/')
  return [address as Address, id]
}
