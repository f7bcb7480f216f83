import { createHash } from 'node:crypto'
import { compareKeys } from '../../drivers/key.ts'
import { crc32c } from './crc32c.ts'
import { Refusal } from './gcs-refusal.ts'

/** What the writer of an object says of it. */
export interface Described {
  name?: string
  contentType?: string
  contentEncoding?: string
  cacheControl?: string
  metadata?: Record<string, string>
  md5Hash?: string
  crc32c?: string
}

export interface StoredObject {
  readonly name: string
  /** Of the content: another one for each version, rising. */
  readonly generation: bigint
  /** Of the description of this version: 1, then one more with each change. */
  metageneration: bigint
  described: Described
  readonly bytes: Buffer
  readonly md5Hash: string
  readonly crc32c: string
  readonly createdMs: number
  updatedMs: number
}

export type Bucket = Map<string, StoredObject>

export interface Listing {
  prefix?: string
  delimiter?: string
  startOffset?: string
  endOffset?: string
  pageToken?: string
  maxResults: number
}

/** Buckets in memory. Everything here happens in one turn, so a check and the change after it are one step. */
export class GcsStore {
  readonly buckets = new Map<string, Bucket>()
  /** Copies that are not done, by token. */
  readonly rewrites = new Map<string, Buffer>()
  readonly #ignoreConditions: boolean
  #lastGeneration = 0n

  constructor(options: { ignoreConditions?: boolean } = {}) {
    this.#ignoreConditions = options.ignoreConditions ?? false
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (bucket === undefined) throw new Refusal(404, 'notFound', 'The specified bucket does not exist.')
    return bucket
  }

  createBucket(name: string): void {
    if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name)) {
      throw new Refusal(400, 'invalid', `Invalid bucket name: '${name}'`)
    }
    if (this.buckets.has(name)) {
      throw new Refusal(409, 'conflict', 'Your previous request to create the named bucket succeeded.')
    }
    this.buckets.set(name, new Map())
  }

  deleteBucket(name: string): void {
    if (this.bucket(name).size > 0) {
      throw new Refusal(409, 'conflict', 'The bucket you tried to delete is not empty.')
    }
    this.buckets.delete(name)
  }

  /** The live version, or the one of `generation`; no other is kept. */
  object(bucket: string, name: string, generation?: string | null): StoredObject {
    checkName(name)
    const object = this.bucket(bucket).get(name)
    if (object === undefined || (generation != null && asNumber(generation) !== object.generation)) {
      throw new Refusal(404, 'notFound', `No such object: ${bucket}/${name}`)
    }
    return object
  }

  /** Makes `bytes` the live version where the conditions of `query` hold. */
  insert(
    bucket: string,
    name: string,
    bytes: Buffer,
    described: Described,
    query: URLSearchParams,
  ): StoredObject {
    checkName(name)
    const objects = this.bucket(bucket)
    this.checkConditions(query, objects.get(name) ?? null)
    const { name: _, md5Hash, crc32c: givenCrc, ...kept } = described
    const hashes = { md5Hash: createHash('md5').update(bytes).digest('base64'), crc32c: crc32c(bytes) }
    checkHash('MD5', md5Hash, hashes.md5Hash)
    checkHash('CRC32C', givenCrc, hashes.crc32c)
    const now = Date.now()
    const object: StoredObject = {
      name,
      generation: this.#nextGeneration(),
      metageneration: 1n,
      described: kept,
      bytes,
      ...hashes,
      createdMs: now,
      updatedMs: now,
    }
    objects.set(name, object)
    return object
  }

  delete(bucket: string, name: string, query: URLSearchParams): void {
    const object = this.object(bucket, name, query.get('generation'))
    this.checkConditions(query, object)
    this.bucket(bucket).delete(name)
  }

  /** `change` holds what is to be another; a member that is null is to go. */
  patch(bucket: string, name: string, change: Record<string, unknown>, query: URLSearchParams): StoredObject {
    const object = this.object(bucket, name, query.get('generation'))
    this.checkConditions(query, object)
    const merged = { ...object.described, ...change }
    object.described = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
    object.metageneration++
    object.updatedMs = Date.now()
    return object
  }

  /** One page, in the order of UTF-8 bytes; `next` is the place where the page after it begins. */
  list(bucket: string, listing: Listing): { items: StoredObject[]; prefixes: string[]; next: string | null } {
    const { prefix = '', delimiter = '', startOffset = '', endOffset = '', pageToken } = listing
    const from = pageToken === undefined ? startOffset : Buffer.from(pageToken, 'base64').toString()
    const items: StoredObject[] = []
    const prefixes = new Set<string>()
    for (const name of [...this.bucket(bucket).keys()].sort(compareKeys)) {
      if (!name.startsWith(prefix) || compareKeys(name, from) < 0) continue
      if (endOffset !== '' && compareKeys(name, endOffset) >= 0) break
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
      const common = end < 0 ? null : name.slice(0, end + delimiter.length)
      if (common !== null && prefixes.has(common)) continue
      if (items.length + prefixes.size === listing.maxResults) {
        return { items, prefixes: [...prefixes], next: Buffer.from(name).toString('base64') }
      }
      if (common === null) items.push(this.object(bucket, name))
      else prefixes.add(common)
    }
    return { items, prefixes: [...prefixes], next: null }
  }

  /** @param prefix `ifSource` for what is copied */
  checkConditions(query: URLSearchParams, live: StoredObject | null, prefix = 'if'): void {
    const failed = this.#ignoreConditions ? null : failedCondition(query, live, prefix)
    if (failed === null) return
    const reads = failed.endsWith('NotMatch')
    throw new Refusal(
      412,
      'conditionNotMet',
      'At least one of the pre-conditions you specified did not hold.',
      reads,
    )
  }

  #nextGeneration(): bigint {
    const now = BigInt(Date.now()) * 1000n
    this.#lastGeneration = now > this.#lastGeneration ? now : this.#lastGeneration + 1n
    return this.#lastGeneration
  }
}

/** The name of the first condition that does not hold. What is not there has generation and metageneration 0. */
function failedCondition(query: URLSearchParams, live: StoredObject | null, prefix: string): string | null {
  const generation = live?.generation ?? 0n
  const metageneration = live?.metageneration ?? 0n
  const wanted: ReadonlyArray<readonly [string, (value: bigint) => boolean]> = [
    ['GenerationMatch', (value) => value === generation],
    ['GenerationNotMatch', (value) => value !== generation],
    ['MetagenerationMatch', (value) => value === metageneration],
    ['MetagenerationNotMatch', (value) => value !== metageneration],
  ]
  for (const [name, holds] of wanted) {
    const value = query.get(prefix + name)
    if (value !== null && !holds(asNumber(value))) return prefix + name
  }
  return null
}

function asNumber(text: string): bigint {
  if (!/^-?\d{1,19}$/.test(text) || BigInt(text) > 2n ** 63n - 1n)
    throw new Refusal(400, 'invalid', `Invalid long value: '${text}'.`)
  return BigInt(text)
}

function checkName(name: string): void {
  const length = Buffer.byteLength(name)
  if (length < 1 || length > 1024) {
    throw new Refusal(400, 'invalid', 'The specified object name is not valid: it has 1 to 1024 bytes.')
  }
  if (/[\r\n]/.test(name) || name === '.' || name === '..') {
    throw new Refusal(400, 'invalid', `Disallowed object name`)
  }
}

function checkHash(kind: string, given: string | undefined, calculated: string): void {
  if (given === undefined || given === calculated) return
  throw new Refusal(
    400,
    'invalid',
    `Provided ${kind} hash "${given}" doesn't match calculated ${kind} hash "${calculated}".`,
  )
}
