import type { Readable } from 'node:stream'
// A plugin of your own imports this from 'mandate/drivers'.
import {
  type BucketPage,
  checkCondition,
  type Driver,
  DriverError,
  ignoreLateErrors,
  type Key,
  type ListBucketsOptions,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ReadOptions,
  type ReadResult,
  resolveRange,
  type WriteOptions,
} from '../index.ts'
import { ChunkBody, type Snapshot } from './chunk-body.ts'
import { asDriver, type Database, openDatabase } from './database.ts'
import { KeyQueue } from './key-queue.ts'
import { listBucketPage, listPage } from './lists.ts'
import { chunkBytes, chunkName, decodeInfo, encodeInfo, objectName } from './records.ts'
import { discard, type Operation, receive, type Upload } from './upload.ts'

/**
 * What the loader calls: makes a driver over a LevelDB database.
 * @param options `location`: the database's folder, made where it is missing
 * @throws `unavailable` when another process has it open, `backend` when the options are wrong
 */
export async function createDriver(options: unknown): Promise<Driver> {
  const location = locationOf(options)
  return new LevelDriver(await asDriver(() => openDatabase(location)))
}

function locationOf(options: unknown): string {
  const { location, ...others } = (options ?? {}) as Record<string, unknown>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new DriverError('backend', `${unknown} is no setting of this driver`)
  if (typeof location === 'string' && location !== '') return location
  throw new DriverError('backend', 'location must be the path of a folder')
}

class LevelDriver implements Driver {
  readonly name = 'leveldb'
  // Another instance cannot open the database, so what holds in this one holds.
  readonly capabilities = { atomicConditions: true, atomicDeletes: true, presign: false, range: true }
  readonly #database: Database
  readonly #queue = new KeyQueue()

  constructor(database: Database) {
    this.#database = database
  }

  stat(key: Key): Promise<ObjectInfo | null> {
    return asDriver(() => this.#current(key))
  }

  read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    return asDriver(async () => {
      const snapshot = this.#database.snapshot()
      const result = await this.#readAt(snapshot, key, options).catch(async (error: unknown) => {
        await snapshot.close()
        throw error
      })
      if (result === null) await snapshot.close()
      return result
    })
  }

  async write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    ignoreLateErrors(body)
    try {
      // Early, to spare the client the upload. What counts is the look at the commit.
      if (options.condition !== undefined) await this.#check(key, options.condition)
      const upload = await receive(this.#database, body, options.size)
      return await this.#commit(key, upload, options)
    } catch (error) {
      body.destroy()
      throw error
    }
  }

  delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    return this.#queue.run(key, () =>
      asDriver(async () => {
        const current = await this.#check(key, options.condition)
        if (current === null) throw new DriverError('not_found', 'nothing is stored under that name')
        await this.#database.batch([{ type: 'del', key: objectName(key) }, ...removalOf(current)], {
          sync: true,
        })
      }),
    )
  }

  async copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    const source = await this.read(from, options)
    if (source === null) throw new DriverError('not_found', 'nothing is stored under that name')
    const { contentType, size } = source.info
    return await this.write(to, source.body, { contentType, size })
  }

  list(prefix: string, options: ListOptions): Promise<ListPage> {
    return asDriver(() => listPage(this.#database, prefix, options))
  }

  listBuckets(options: ListBucketsOptions): Promise<BucketPage> {
    return asDriver(() => listBucketPage(this.#database, options))
  }

  async check(): Promise<void> {
    await asDriver(() => this.#database.get(objectName('')))
  }

  close(): Promise<void> {
    return asDriver(() => this.#database.close())
  }

  async #current(key: Key, snapshot?: Snapshot): Promise<ObjectInfo | null> {
    const record = await this.#database.get(objectName(key), snapshot === undefined ? {} : { snapshot })
    return record === undefined ? null : decodeInfo(record)
  }

  async #check(key: Key, condition: WriteOptions['condition']): Promise<ObjectInfo | null> {
    const current = await asDriver(() => this.#current(key))
    checkCondition(condition, current?.etag ?? null)
    return current
  }

  async #readAt(snapshot: Snapshot, key: Key, { range, ifMatch }: ReadOptions): Promise<ReadResult | null> {
    const info = await this.#current(key, snapshot)
    if (info === null) return null
    if (ifMatch !== undefined) checkCondition({ ifMatch }, info.etag)
    const wanted = range === undefined ? null : resolveRange(range, info.size)
    const { first, last } = wanted ?? { first: 0, last: info.size - 1 }
    const body = new ChunkBody(this.#database, snapshot, info.etag, first, last - first + 1)
    return { info, range: wanted, body }
  }

  /** One batch takes the place of the former version: before it that one is there, after it this one. */
  #commit(key: Key, { etag, size, rest }: Upload, options: WriteOptions): Promise<ObjectInfo> {
    return this.#queue.run(key, async () => {
      const former = await this.#check(key, options.condition).catch(async (error: unknown) => {
        await discard(this.#database, etag)
        throw error
      })
      const info = { etag, size, contentType: options.contentType, lastModifiedMs: Date.now() }
      const pointer: Operation = { type: 'put', key: objectName(key), value: encodeInfo(info) }
      const removal = former === null ? [] : removalOf(former)
      await asDriver(() => this.#database.batch([...removal, ...rest, pointer], { sync: true }))
      return info
    })
  }
}

/** What a version leaves behind. Readers have snapshots. */
function removalOf({ etag, size }: ObjectInfo): Operation[] {
  const count = Math.ceil(size / chunkBytes)
  return Array.from({ length: count }, (_, i) => ({ type: 'del', key: chunkName(etag, i) }))
}
