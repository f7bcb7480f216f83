import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { ignoreLateErrors, readBody } from './body.ts'
import { bucketPage, decodeBucketCursor } from './buckets.ts'
import { checkCondition } from './condition.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type {
  BucketPage,
  Driver,
  ListBucketsOptions,
  ListOptions,
  ListPage,
  ObjectInfo,
  ReadOptions,
  ReadResult,
  WriteOptions,
} from './driver.ts'
import { DriverError } from './errors.ts'
import { compareKeys, type Key } from './key.ts'
import { resolveRange } from './range.ts'

export interface MemoryDriverOptions {
  /** Milliseconds since 1970. */
  now?: () => number
  /** A new etag, another one at each call. */
  makeEtag?: () => string
}

interface StoredObject {
  readonly info: ObjectInfo
  readonly bytes: Buffer
}

/** Keeps everything in this process, and nothing after it: for tests and demos. */
export function memoryDriver(options: MemoryDriverOptions = {}): Driver {
  return new MemoryDriver(options)
}

class MemoryDriver implements Driver {
  readonly name = 'memory'
  // No other instance can reach what this one holds, so a condition that holds here holds everywhere.
  readonly capabilities = { atomicConditions: true, atomicDeletes: true, presign: false, range: true }
  readonly #objects = new Map<Key, StoredObject>()
  readonly #now: () => number
  readonly #makeEtag: () => string

  constructor(options: MemoryDriverOptions) {
    this.#now = options.now ?? Date.now
    this.#makeEtag = options.makeEtag ?? (() => randomUUID().replaceAll('-', ''))
  }

  async stat(key: Key): Promise<ObjectInfo | null> {
    const object = this.#objects.get(key)
    return object === undefined ? null : { ...object.info }
  }

  async read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    const object = this.#objects.get(key)
    if (object === undefined) return null
    if (options.ifMatch !== undefined) checkCondition({ ifMatch: options.ifMatch }, object.info.etag)
    const range = options.range === undefined ? null : resolveRange(options.range, object.info.size)
    const bytes = range === null ? object.bytes : object.bytes.subarray(range.first, range.last + 1)
    return { info: { ...object.info }, range, body: Readable.from(slices(bytes), { objectMode: false }) }
  }

  async write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    ignoreLateErrors(body)
    const chunks: Buffer[] = []
    try {
      checkCondition(options.condition, this.#etagOf(key))
      for await (const chunk of readBody(body, options.size)) chunks.push(Buffer.from(chunk))
    } catch (error) {
      body.destroy()
      throw error
    }
    // Nothing else runs between this check and the commit: both are in one turn of the event loop.
    checkCondition(options.condition, this.#etagOf(key))
    return this.#put(key, Buffer.concat(chunks), options.contentType)
  }

  async delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    checkCondition(options.condition, this.#etagOf(key))
    if (!this.#objects.delete(key)) throw notFound()
  }

  async copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    const object = this.#objects.get(from)
    if (object === undefined) throw notFound()
    if (options.ifMatch !== undefined) checkCondition({ ifMatch: options.ifMatch }, object.info.etag)
    return this.#put(to, object.bytes, object.info.contentType)
  }

  async list(prefix: string, options: ListOptions): Promise<ListPage> {
    const after = options.cursor === null ? null : decodeCursor(options.cursor, prefix)
    const keys = [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && (after === null || compareKeys(key, after) > 0))
      .sort(compareKeys)
    const page = keys.slice(0, options.limit)
    const last = page.at(-1)
    return {
      entries: page.map((key) => this.#entry(key, options.stat === true)),
      cursor: last === undefined || keys.length <= page.length ? null : encodeCursor(last),
    }
  }

  async listBuckets({ limit, cursor }: ListBucketsOptions): Promise<BucketPage> {
    const after = cursor === null ? '' : `${decodeBucketCursor(cursor)}/`
    const buckets = new Set([...this.#objects.keys()].map((key) => key.slice(0, key.indexOf('/') + 1)))
    const rest = [...buckets].filter((bucket) => bucket > after).sort(compareKeys)
    return bucketPage(
      rest.map((bucket) => bucket.slice(0, -1)),
      limit,
    )
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {
    this.#objects.clear()
  }

  #etagOf(key: Key): string | null {
    return this.#objects.get(key)?.info.etag ?? null
  }

  #entry(key: Key, stat: boolean): { key: Key; info?: ObjectInfo } {
    const object = this.#objects.get(key)
    return stat && object !== undefined ? { key, info: { ...object.info } } : { key }
  }

  #put(key: Key, bytes: Buffer, contentType: string): ObjectInfo {
    const info = { etag: this.#makeEtag(), size: bytes.length, contentType, lastModifiedMs: this.#now() }
    this.#objects.set(key, { info, bytes })
    return { ...info }
  }
}

function notFound(): DriverError {
  return new DriverError('not_found', 'nothing is stored under that name')
}

const sliceBytes = 64 * 1024

function* slices(bytes: Buffer): Generator<Buffer> {
  // Copies, so that a consumer that changes what it got does not change what is stored.
  for (let at = 0; at < bytes.length; at += sliceBytes) yield Buffer.from(bytes.subarray(at, at + sliceBytes))
}
