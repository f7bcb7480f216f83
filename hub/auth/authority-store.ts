import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { type Address, authKey } from '../../drivers/key.ts'
import { FactCache } from './fact-cache.ts'

export interface AuthorityStoreOptions {
  driver: Driver
  /** Facts kept in memory. */
  cacheSize: number
  /** The promise of PROTOCOL 2.6: how long another hub's revocation may go unseen. 0 asks storage each time. */
  revocationMaxAgeSeconds: number
}

/**
 * What owners have said about their addresses, kept in the driver beside their files and nowhere else. Where it
 * cannot be read, every call rejects: no write is let through on a guess.
 */
export interface AuthorityStore {
  /** The address's oldest valid timestamp in whole seconds, `null` where none was set. */
  oldestValidSeconds(address: Address): Promise<number | null>
  /** Raises the oldest valid timestamp; a lower one changes nothing. Resolves with the one in force. */
  raiseOldestValid(address: Address, seconds: number): Promise<number>
}

interface Timestamp {
  seconds: number | null
}

/** A timestamp is about ten digits; anything much longer is not one. */
const maxTimestampBytes = 64

/** Raising is a conditional write that another hub may win; each loss means that the timestamp rose meanwhile. */
const maxRaiseAttempts = 20

export function authorityStore({
  driver,
  cacheSize,
  revocationMaxAgeSeconds,
}: AuthorityStoreOptions): AuthorityStore {
  const timestamps = new FactCache<Timestamp>({
    maxEntries: cacheSize,
    maxAgeMs: revocationMaxAgeSeconds * 1000,
    load: async (address) => ({ seconds: (await readTimestamp(driver, address as Address)).seconds }),
    merge: (known, loaded) => ((known.seconds ?? -1) > (loaded.seconds ?? -1) ? known : loaded),
  })

  return {
    async oldestValidSeconds(address) {
      return (await timestamps.get(address)).seconds
    },

    async raiseOldestValid(address, seconds) {
      const inForce = await raiseTimestamp(driver, address, seconds)
      timestamps.learn(address, { seconds: inForce })
      return inForce
    },
  }
}

async function raiseTimestamp(driver: Driver, address: Address, seconds: number): Promise<number> {
  for (let attempt = 0; attempt < maxRaiseAttempts; attempt++) {
    const current = await readTimestamp(driver, address)
    if (current.seconds !== null && current.seconds >= seconds) return current.seconds
    try {
      await driver.write(authKey(address, 'authTimestamp'), Readable.from([Buffer.from(String(seconds))]), {
        contentType: 'text/plain; charset=UTF-8',
        condition: current.etag === null ? { ifNoneMatch: '*' } : { ifMatch: current.etag },
      })
      return seconds
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
    }
  }
  throw new DriverError('busy', 'the oldest valid timestamp is being changed by others at the same time')
}

async function readTimestamp(
  driver: Driver,
  address: Address,
): Promise<{ seconds: number | null; etag: string | null }> {
  const found = await driver.read(authKey(address, 'authTimestamp'))
  if (found === null) return { seconds: null, etag: null }
  if (found.info.size > maxTimestampBytes) {
    found.body.destroy()
    throw unreadableTimestamp()
  }
  const content = (await text(found.body)).trim()
  if (!/^-?\d{1,15}$/.test(content)) throw unreadableTimestamp()
  return { seconds: Number(content), etag: found.info.etag }
}

/** A record that says nothing is a fault of the storage, never "no timestamp": writes stop until it is mended. */
function unreadableTimestamp(): DriverError {
  return new DriverError('backend', 'the stored oldest valid timestamp of the address is not a number')
}
