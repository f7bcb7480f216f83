import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
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
import { DriverError } from '../errors.ts'
import type { Key } from '../key.ts'
import { holdsDeletes, type ProbeTarget, probeReading, probeStorage, requireConditions } from '../probe.ts'
import { type Access, readOnly } from '../read-only.ts'
import { Api } from './api.ts'
import { copyObject } from './copy.ts'
import { deleteIfThere, deleteObject } from './delete.ts'
import { asDriver } from './errors.ts'
import { type Identity, type IdentityOptions, openIdentity } from './identity.ts'
import { listBuckets, listNames, listObjects } from './list.ts'
import { gcsPresigner, holdsSigned } from './presign.ts'
import { readObject } from './read.ts'
import { partUnitBytes } from './resumable.ts'
import { Sockets } from './sockets.ts'
import { statObject } from './stat.ts'
import { writeObject } from './write.ts'

export interface GcsDriverOptions extends IdentityOptions {
  bucket: string
  /** `read` needs no right to write and refuses to; `write` unless said otherwise. */
  access?: Access
  /** Makes the bucket where it is missing, with the project's defaults. */
  createBucket?: boolean
  /** Takes a storage that ignores conditions, as some emulators do; then writers at one time lose updates. */
  allowUnsafeConditions?: boolean
  /**
   * Find out at the start whether the storage holds presigned uploads to what was signed, and offer what it can be
   * relied on for. Not unless said so, and never without credentials.
   */
  presign?: boolean
  /** How long a request may wait for a connection, and a connection may say nothing; 30,000 unless said otherwise. */
  timeoutMs?: number
  /** Connections at once: as many for calls as for the bodies of reads; 64 unless said otherwise. */
  maxSockets?: number
  /** As in the SDK: at most 4 retries, at most 8 seconds between two tries, at most 60 seconds in all. */
  retryOptions?: {
    maxRetries?: number
    /** Seconds. */
    maxRetryDelay?: number
    /** Seconds. */
    totalTimeout?: number
  }
  /**
   * Bytes of a part of an upload; a multiple of 256 KiB, 8 MiB unless said otherwise. What is not longer goes out in
   * one request. An upload has one part in memory at a time.
   */
  partBytes?: number
  /** From 0 to below 1; for the waits between tries. */
  random?: () => number
}

const defaultPartBytes = 8 * 1024 * 1024

/**
 * Opens a bucket of Google Cloud Storage: an object's name is its key, and its type is that of the object, as Gaia
 * had it. An etag is the generation of a version, so each version has its own.
 * @throws `backend` when the bucket is missing, the credentials do not allow what a hub does, or the storage ignores
 * conditions; `unavailable` when it cannot be reached
 */
export async function gcsDriver(options: GcsDriverOptions): Promise<Driver> {
  const partBytes = options.partBytes ?? defaultPartBytes
  if (!Number.isSafeInteger(partBytes) || partBytes < 1 || partBytes % partUnitBytes !== 0) {
    throw new DriverError('backend', 'partBytes must be a multiple of 262,144')
  }
  const sockets = new Sockets({
    maxSockets: options.maxSockets ?? 64,
    timeoutMs: options.timeoutMs ?? 30_000,
  })
  try {
    const identity = await asDriver(async () => openIdentity(options))
    const api = openApi(options, sockets, identity)
    await asDriver(() => openBucket(api, options.createBucket === true))
    const target = probeTarget(api, partBytes)
    const isAsked = options.presign === true && !identity.isAnonymous
    const signer = isAsked ? identity.signerFor(options.bucket) : null
    if (options.access === 'read') {
      await probeReading(target)
      const presigner = signer === null ? null : gcsPresigner(signer, false)
      return readOnly(
        new GcsDriver({ api, sockets, partBytes, presigner, atomicConditions: false, atomicDeletes: false }),
      )
    }
    const probed = await probeStorage(target)
    const atomicConditions = requireConditions(probed, options.allowUnsafeConditions === true)
    const presigner =
      signer === null ? null : gcsPresigner(signer, atomicConditions && (await holdsSigned(signer, target)))
    const atomicDeletes = holdsDeletes(probed)
    return new GcsDriver({ api, sockets, partBytes, presigner, atomicConditions, atomicDeletes })
  } catch (error) {
    sockets.close()
    throw error
  }
}

function openApi(options: GcsDriverOptions, sockets: Sockets, identity: Identity): Api {
  const { maxRetries = 4, maxRetryDelay = 8, totalTimeout = 60 } = options.retryOptions ?? {}
  return new Api({
    identity,
    sockets,
    bucket: options.bucket,
    timeoutMs: options.timeoutMs ?? 30_000,
    retries: {
      maxRetries,
      maxDelayMs: maxRetryDelay * 1000,
      totalTimeoutMs: totalTimeout * 1000,
      random: options.random ?? Math.random,
    },
  })
}

async function openBucket(api: Api, create: boolean): Promise<void> {
  if (await api.retry(() => api.hasBucket())) return
  if (!create) {
    throw new DriverError('backend', 'the bucket does not exist; createBucket: true makes it')
  }
  await api.createBucket()
}

function probeTarget(api: Api, partBytes: number): ProbeTarget {
  return {
    write: (name, bytes, condition) =>
      asDriver(async () => {
        const body = Readable.from([bytes])
        const options = { contentType: 'text/plain', partBytes, ...(condition && { condition }) }
        return (await writeObject(api, name, body, options)).etag
      }),
    read: (name) =>
      asDriver(async () => {
        const result = await readObject(api, name, {})
        return result === null ? null : await buffer(result.body)
      }),
    list: (prefix) => asDriver(() => listNames(api, prefix)),
    delete: (name, condition) =>
      asDriver(() =>
        condition === undefined
          ? deleteIfThere(api, name, undefined)
          : deleteObject(api, name, condition.ifMatch),
      ),
  }
}

interface Opened {
  readonly api: Api
  readonly sockets: Sockets
  readonly partBytes: number
  readonly presigner: Presigner | null
  readonly atomicConditions: boolean
  readonly atomicDeletes: boolean
}

class GcsDriver implements Driver {
  readonly name = 'gcs'
  readonly capabilities: DriverCapabilities
  readonly presign?: Presigner
  readonly #api: Api
  readonly #sockets: Sockets
  readonly #partBytes: number

  constructor({ api, sockets, partBytes, presigner, atomicConditions, atomicDeletes }: Opened) {
    this.#api = api
    this.#sockets = sockets
    this.#partBytes = partBytes
    if (presigner !== null) this.presign = presigner
    this.capabilities = { atomicConditions, atomicDeletes, presign: presigner !== null, range: true }
  }

  stat(key: Key): Promise<ObjectInfo | null> {
    return asDriver(() => statObject(this.#api, key))
  }

  read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    return asDriver(() => readObject(this.#api, key, options))
  }

  write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    return writeObject(this.#api, key, body, { ...options, partBytes: this.#partBytes })
  }

  delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    return asDriver(() => deleteObject(this.#api, key, options.condition?.ifMatch))
  }

  copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    return asDriver(() => copyObject(this.#api, from, to, options.ifMatch))
  }

  list(prefix: string, options: ListOptions): Promise<ListPage> {
    return asDriver(() => listObjects(this.#api, prefix, options))
  }

  listBuckets(options: ListBucketsOptions): Promise<BucketPage> {
    return asDriver(() => listBuckets(this.#api, options))
  }

  /** One try: whoever asks will ask again. */
  async check(): Promise<void> {
    const hasBucket = await asDriver(() => this.#api.hasBucket())
    if (!hasBucket) throw new DriverError('backend', 'the bucket does not exist')
  }

  async close(): Promise<void> {
    this.#sockets.close()
  }
}
