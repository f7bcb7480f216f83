import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'

/** What the driver asks of an object, for the `fields` of a query. */
export const objectFields = 'name,generation,size,contentType,updated,metadata'

/** The most UTF-8 bytes that an object's name may have ("Object names" of Cloud Storage). */
export const maxNameBytes = 1024

/** Whether the storage has room for a name. */
export function canHold(name: string): boolean {
  return Buffer.byteLength(name) <= maxNameBytes
}

/** An etag is the generation of a version: a number that no other version of that name has, its bytes alike or not. */
const generationForm = /^[1-9]\d{0,18}$/
const maxGeneration = 2n ** 63n - 1n

/** Whether an etag can be one of ours. 0, which the storage takes for "nothing there", is none. */
export function isGeneration(etag: string): boolean {
  return generationForm.test(etag) && BigInt(etag) <= maxGeneration
}

/** What a type is where an object has none: what the storage serves it with. */
const defaultContentType = 'application/octet-stream'

/** Whether it is the same in a header, whatever the storage takes those to be encoded in. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** Reads the JSON of an object. @throws `backend` where it lacks what every object has */
export function infoOf(resource: unknown): ObjectInfo {
  const { generation, size, contentType, updated } = membersOf(resource)
  const lastModifiedMs = typeof updated === 'string' ? wholeSeconds(updated) : Number.NaN
  if (typeof generation !== 'string' || !isGeneration(generation) || !isSize(size)) throw notAnObject()
  if (Number.isNaN(lastModifiedMs)) throw notAnObject()
  return {
    etag: generation,
    size: Number(size),
    contentType: typeof contentType === 'string' && contentType !== '' ? contentType : defaultContentType,
    lastModifiedMs,
  }
}

/**
 * Reads what a download's head says of its object, `null` where it does not say everything, or says it in
 * letters that may have changed on the way. Its time has no parts of a second, so none is shown anywhere.
 */
export function infoOfHead(headers: IncomingHttpHeaders): ObjectInfo | null {
  const generation = headers['x-goog-generation']
  const size = headers['x-goog-stored-content-length']
  const contentType = headers['content-type']
  const lastModifiedMs = wholeSeconds(headers['last-modified'] ?? '')
  if (typeof generation !== 'string' || !isGeneration(generation) || !isSize(size)) return null
  if (contentType === undefined || !isAscii(contentType) || Number.isNaN(lastModifiedMs)) return null
  return { etag: generation, size: Number(size), contentType, lastModifiedMs }
}

export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function wholeSeconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000) * 1000
}

function isSize(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,15}$/.test(value)
}

function notAnObject(): DriverError {
  return new DriverError('backend', 'the storage describes an object in a way that is not known')
}
