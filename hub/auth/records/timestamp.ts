import { Readable } from 'node:stream'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { type Address, authKey } from '../../../drivers/key.ts'
import { lookAtRecord } from './read-record.ts'

/** A timestamp is about ten digits; anything much longer is not one. */
const maxTimestampBytes = 64

/** Raising is a conditional write that another hub may win; each loss means that the timestamp rose meanwhile. */
const maxRaiseAttempts = 20

/** What is stored as an address's oldest valid timestamp, and the etag of that. */
export interface StoredTimestamp {
  /** Whole seconds; `null` where none was set; `unreadable` where something is there that is no number. */
  seconds: number | 'unreadable' | null
  etag: string | null
}

/** Looks at `<address>-auth/authTimestamp`, decimal text (PROTOCOL 1.5), whatever stands there. */
export async function lookAtTimestamp(driver: Driver, address: Address): Promise<StoredTimestamp> {
  const record = await lookAtRecord(driver, authKey(address, 'authTimestamp'), maxTimestampBytes)
  if (record === null) return { seconds: null, etag: null }
  const content = record.bytes?.toString('utf8').trim() ?? ''
  return { seconds: /^-?\d{1,15}$/.test(content) ? Number(content) : 'unreadable', etag: record.etag }
}

/**
 * An address's oldest valid timestamp.
 * @throws {DriverError} `backend` where what is stored is no number: that is a fault of the storage, or an operator's
 * way to end all writing, and never "no timestamp"
 */
export async function readTimestamp(
  driver: Driver,
  address: Address,
): Promise<{ seconds: number | null; etag: string | null }> {
  const { seconds, etag } = await lookAtTimestamp(driver, address)
  if (seconds === 'unreadable') {
    throw new DriverError('backend', 'the stored oldest valid timestamp of the address is not a number')
  }
  return { seconds, etag }
}

/** Raises the timestamp; a lower one changes nothing. @returns the one in force */
export async function raiseTimestamp(driver: Driver, address: Address, seconds: number): Promise<number> {
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
