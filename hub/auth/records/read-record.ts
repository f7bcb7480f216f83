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
 * Looks at one of the small blobs that the hub keeps beside an owner's files, whatever stands there.
 * @param maxBytes anything larger is not such a blob: its `bytes` are `null`, and are not read
 * @returns `null` when there is none
 */
export async function lookAtRecord(
  driver: Driver,
  key: Key,
  maxBytes: number,
): Promise<{ bytes: Buffer | null; etag: string } | null> {
  const found = await driver.read(key)
  if (found === null) return null
  const { etag, size } = found.info
  if (size <= maxBytes) return { bytes: await buffer(found.body), etag }
  found.body.destroy()
  return { bytes: null, etag }
}

/**
 * Reads one of them.
 * @returns `null` when there is none
 * @throws {DriverError} `backend` when it is larger than `maxBytes`, or any error of the driver
 */
export async function readRecord(driver: Driver, key: Key, maxBytes: number): Promise<RecordBlob | null> {
  const record = await lookAtRecord(driver, key, maxBytes)
  if (record === null) return null
  const { bytes, etag } = record
  if (bytes !== null) return { bytes, etag }
  throw new DriverError('backend', `a stored record of the address is larger than ${maxBytes} bytes`)
}
