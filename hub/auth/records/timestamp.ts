import { Readable } from 'node:stream'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { type Address, authKey } from '../../../drivers/key.ts'
import { readRecord } from './read-record.ts'

/** A timestamp is about ten digits; anything much longer is not one. */
const maxTimestampBytes = 64

/** Raising is a conditional write that another hub may win; each loss means that the timestamp rose meanwhile. */
const maxRaiseAttempts = 20

/**
 * An address's oldest valid timestamp as it is stored: `<address>-auth/authTimestamp`, decimal text (PROTOCOL 1.5).
 * @returns whole seconds, or `null` where none was set
 */
export async function readTimestamp(
  driver: Driver,
  address: Address,
): Promise<{ seconds: number | null; etag: string | null }> {
  const record = await readRecord(driver, authKey(address, 'authTimestamp'), maxTimestampBytes)
  if (record === null) return { seconds: null, etag: null }
  const content = record.bytes.toString('utf8').trim()
  // A record that says nothing is a fault of the storage, never "no timestamp": writes stop until it is mended.
  if (!/^-?\d{1,15}$/.test(content)) {
    throw new DriverError('backend', 'the stored oldest valid timestamp of the address is not a number')
  }
  return { seconds: Number(content), etag: record.etag }
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
