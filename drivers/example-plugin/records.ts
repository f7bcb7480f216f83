import type { ObjectInfo } from '../index.ts'
import { DriverError } from '../index.ts'

/**
 * What stands in the database, which sorts by bytes:
 *
 * ```
 * o<key>                 the version that a key holds: its info, as JSON
 * c<etag><n>             a piece of a version's bytes; n is eight hexadecimal digits
 * w<etag>                an upload under way, whose pieces belong to nobody yet
 * ```
 *
 * The etag is random, so that a version's pieces have a name that no other version's have.
 */

export const chunkBytes = 64 * 1024

export const objectPrefix = Buffer.from('o')
export const uploadPrefix = Buffer.from('w')

export function objectName(keyOrPrefix: string): Buffer<ArrayBuffer> {
  return Buffer.from(`o${keyOrPrefix}`)
}

export function uploadName(etag: string): Buffer {
  return Buffer.from(`w${etag}`)
}

export function chunkName(etag: string, index: number): Buffer {
  return Buffer.from(`c${etag}${index.toString(16).padStart(8, '0')}`)
}

/** The names of all pieces of a version, as a range of the database. */
export function chunkRange(etag: string, first = 0): { gte: Buffer; lte: Buffer } {
  return { gte: chunkName(etag, first), lte: chunkName(etag, 0xffffffff) }
}

export function textAfter(prefix: Buffer, name: Buffer): string {
  return name.subarray(prefix.length).toString()
}

export function encodeInfo(info: ObjectInfo): Buffer {
  return Buffer.from(JSON.stringify(info))
}

/** @throws `backend` when something else has written into the database */
export function decodeInfo(bytes: Buffer): ObjectInfo {
  const value: unknown = JSON.parse(bytes.toString())
  if (!isInfo(value)) throw new DriverError('backend', 'the database holds a record that is none')
  return value
}

function isInfo(value: unknown): value is ObjectInfo {
  if (typeof value !== 'object' || value === null) return false
  const { etag, size, contentType, lastModifiedMs } = value as Record<string, unknown>
  return (
    typeof etag === 'string' &&
    typeof size === 'number' &&
    typeof contentType === 'string' &&
    typeof lastModifiedMs === 'number'
  )
}
