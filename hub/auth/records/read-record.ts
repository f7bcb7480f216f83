import { buffer } from 'node:stream/consumers'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import type { Key } from '../../../drivers/key.ts'

/** A small blob about an address, whole. */
export interface RecordBlob {
  bytes: Buffer
  etag: string
}

/**
 * Reads one of the small blobs that the hub keeps beside an owner's files.
 * @param maxBytes anything larger is not such a blob
 * @returns `null` when there is none
 * @throws {DriverError} `backend` when it is too large, or any error of the driver
 */
export async function readRecord(driver: Driver, key: Key, maxBytes: number): Promise<RecordBlob | null> {
  const found = await driver.read(key)
  if (found === null) return null
  if (found.info.size > maxBytes) {
    found.body.destroy()
    throw new DriverError('backend', `a stored record of the address is larger than ${maxBytes} bytes`)
  }
  return { bytes: await buffer(found.body), etag: found.info.etag }
}
