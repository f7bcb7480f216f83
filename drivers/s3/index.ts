import type { Readable } from 'node:stream'
import { HeadBucketCommand } from '@aws-sdk/client-s3'
import type {
  BucketPage,
  Driver,
  DriverCapabilities,
  ListBucketsOptions,
  ListOptions,
  ListPage,
  ObjectInfo,
  Presigner,
  ReadOptions,
  ReadResult,
  WriteOptions,
} from '../driver.ts'
import type { Key } from '../key.ts'
import { holdsDeletes } from '../probe.ts'
import { readOnly } from '../read-only.ts'
import { copyObject } from './copy.ts'
import { deleteObject } from './delete.ts'
import { asDriver } from './errors.ts'
import { listBuckets, listPage } from './list.ts'
import { type OpenPresigner, openPresigner } from './open-presigner.ts'
import type { S3DriverOptions } from './options.ts'
import { readObject } from './read.ts'
import { openStore } from './start.ts'
import type { Store } from './store.ts'
import { currentVersion } from './version.ts'
import { writeObject } from './write.ts'

export type { S3Credentials, S3DriverOptions } from './options.ts'

/**
 * Opens a bucket of S3, or of a service like it, as storage. An object is named `<address>/<path>` and has its
 * content type where S3 keeps it, so buckets of a Gaia hub are read and written as they are.
 *
 * Opened for writing, before it resolves it has seen that the backend can be written, read, listed and deleted from,
 * and which conditions it holds to. What a backend does not hold to is done another way: deletes, copies and large writes under a
 * condition cost more there. Only conditions of simple writes cannot be replaced.
 *
 * The etag is the backend's, and mostly made from the content: a version with the bytes of the one before it has the
 * same etag. Writers with one `ifMatch` and different bytes are told apart, as are all creators.
 *
 * Opened for reading, it has seen that an object which is not there is told from one that may not be read.
 *
 * @throws `backend` when the bucket is missing, access is denied, or conditions of writes are ignored (unless
 * `allowUnsafeConditions`); `unavailable`
 */
export async function s3Driver(options: S3DriverOptions): Promise<Driver> {
  const store = await openStore(options)
  const driver = new S3Driver(store, await presignerFor(store, options))
  return options.access === 'read' ? readOnly(driver) : driver
}

async function presignerFor(store: Store, options: S3DriverOptions): Promise<OpenPresigner | null> {
  try {
    return await openPresigner(store, options)
  } catch (error) {
    store.client.destroy()
    throw error
  }
}

class S3Driver implements Driver {
  readonly name = 's3'
  readonly capabilities: DriverCapabilities
  readonly presign?: Presigner
  readonly #store: Store
  readonly #presigner: OpenPresigner | null

  constructor(store: Store, presigner: OpenPresigner | null) {
    this.#store = store
    this.#presigner = presigner
    if (presigner !== null) this.presign = presigner.presigner
    this.capabilities = {
      atomicConditions: store.traits.conditionalWrites,
      atomicDeletes: holdsDeletes(store.traits),
      presign: presigner !== null,
      range: true,
    }
  }

  stat(key: Key): Promise<ObjectInfo | null> {
    return asDriver(() => currentVersion(this.#store, key))
  }

  read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    return asDriver(() => readObject(this.#store, key, options))
  }

  write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    return writeObject(this.#store, key, body, options)
  }

  delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    return asDriver(() => deleteObject(this.#store, key, options.condition?.ifMatch))
  }

  copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    return asDriver(() => copyObject(this.#store, from, to, options.ifMatch))
  }

  list(prefix: string, options: ListOptions): Promise<ListPage> {
    return asDriver(() => listPage(this.#store, prefix, options))
  }

  listBuckets(options: ListBucketsOptions): Promise<BucketPage> {
    return asDriver(() => listBuckets(this.#store, options))
  }

  async check(): Promise<void> {
    await asDriver(() => this.#store.client.send(new HeadBucketCommand({ Bucket: this.#store.bucket })))
  }

  async close(): Promise<void> {
    this.#presigner?.close()
    this.#store.client.destroy()
  }
}
