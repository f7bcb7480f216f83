import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Condition } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { type ProbeTarget, probeName, probeReading, probeStorage, requireConditions } from '../probe.ts'
import { settled } from '../settled.ts'
import { defaultMaxAttempts, defaultMaxSockets, defaultRequestTimeoutMs, makeClient } from './client.ts'
import { nativeCondition } from './commit.ts'
import { asDriver, asDriverError, codeOf, isConflict, isMissing, isUnmet, statusOf } from './errors.ts'
import type { S3DriverOptions } from './options.ts'
import { PartMemory } from './part-memory.ts'
import { leavesFormer } from './probe-cut.ts'
import { bareEtag, type Store, type Traits } from './store.ts'
import { Streams } from './stream.ts'

/** Opens a bucket: it is there, and it is known what the backend can be relied on for. */
export async function openStore(options: S3DriverOptions): Promise<Store> {
  const client = makeClient(options)
  try {
    await asDriver(() => ensureBucket(client, options))
    const traits =
      options.access === 'read'
        ? await readingTraits(client, options.bucket)
        : await writingTraits(client, options)
    return {
      client,
      bucket: options.bucket,
      traits,
      requestTimeoutMs: options.requestTimeoutMs ?? defaultRequestTimeoutMs,
      maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
      tempFolder: options.tempFolder ?? tmpdir(),
      memory: new PartMemory(),
      streams: new Streams(Math.floor((options.maxSockets ?? defaultMaxSockets) / 2)),
    }
  } catch (error) {
    client.destroy()
    throw asDriverError(error)
  }
}

async function ensureBucket(client: S3Client, { bucket, createBucket }: S3DriverOptions): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    if (createBucket !== true) {
      throw new DriverError('backend', 'the bucket does not exist; createBucket: true would make it', {
        cause: error,
      })
    }
    await makeBucket(client, bucket)
  }
}

async function makeBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  } catch (error) {
    // Another hub that starts at the same time was faster.
    if (codeOf(error) !== 'BucketAlreadyOwnedByYou') throw error
  }
}

/** Nothing of what they tell matters to reading. */
async function readingTraits(client: S3Client, bucket: string): Promise<Traits> {
  await probeReading(new Probe(client, bucket).target(true))
  return {
    quotedIfMatch: true,
    conditionalWrites: false,
    conditionalDeletes: false,
    conditionalUploads: false,
    conditionalCopies: false,
    wholeBodies: false,
  }
}

async function writingTraits(
  client: S3Client,
  { bucket, allowUnsafeConditions = false }: S3DriverOptions,
): Promise<Traits> {
  const traits = await probeTraits(client, bucket)
  requireConditions(traits, allowUnsafeConditions)
  return traits
}

async function probeTraits(client: S3Client, bucket: string): Promise<Traits> {
  const probe = new Probe(client, bucket)
  const quotedIfMatch = await probe.wantsQuotes()
  // Side by side: a function that starts has its client waiting.
  const uploads = probe.holdsUploads(quotedIfMatch)
  const [probed, conditionalCopies, wholeBodies] = await settled([
    probeStorage(probe.target(quotedIfMatch)),
    probe.holdsCopies(),
    probe.leavesFormer(),
    uploads.catch(() => false),
  ])
  // Of a storage that ignores conditions it does not matter, not even that it has no such uploads.
  const conditionalUploads = probed.conditionalWrites && (await uploads)
  return { ...probed, quotedIfMatch, conditionalUploads, conditionalCopies, wholeBodies }
}

/** Requests to see what a backend does, under names that no owner can have. */
class Probe {
  readonly #client: S3Client
  readonly #bucket: string

  constructor(client: S3Client, bucket: string) {
    this.#client = client
    this.#bucket = bucket
  }

  /** Whether the right etag in quotes is recognized, which is HTTP's form; the other one is tried where it is not. */
  async wantsQuotes(): Promise<boolean> {
    return await this.#withObject(async (name, etag) => {
      const tries = async (quotedIfMatch: boolean) =>
        await this.#succeeds(() => this.#put(name, 'quotes', condition({ ifMatch: etag }, quotedIfMatch)))
      return (await tries(true)) || !(await tries(false))
    })
  }

  /** What every storage is asked. */
  target(quotedIfMatch: boolean): ProbeTarget {
    const native = (wanted: Condition | undefined) =>
      wanted === undefined ? {} : condition(wanted, quotedIfMatch)
    return {
      write: (name, bytes, wanted) => asStep(() => this.#put(name, bytes, native(wanted))),
      read: (name) => asStep(() => this.#get(name)),
      list: (prefix) => asStep(() => this.#list(prefix)),
      delete: (name, wanted) => asStep(() => this.#delete(name, native(wanted))),
    }
  }

  /** Whether a multipart upload under a condition that does not hold is refused at its end. */
  async holdsUploads(quotedIfMatch: boolean): Promise<boolean> {
    return await this.#withObject(async (name) => {
      const stale = condition({ ifMatch: 'f'.repeat(32) }, quotedIfMatch)
      const refused = await settled([
        this.#refusesUpload(name, { IfNoneMatch: '*' }),
        this.#refusesUpload(name, stale),
      ])
      return refused.every(Boolean)
    })
  }

  /** Whether a copy of a version that is not there is refused, and one of the version that is there is made. */
  async holdsCopies(): Promise<boolean> {
    return await this.#withObject(async (name, etag) => {
      const to = `${name}-copy`
      try {
        return (
          !(await this.#succeeds(() => this.#copy(name, to, 'f'.repeat(32)))) &&
          (await this.#succeeds(() => this.#copy(name, to, etag)))
        )
      } finally {
        await asDriver(() => this.#delete(to, {}))
      }
    })
  }

  /** Whether a body that breaks off changes nothing. */
  async leavesFormer(): Promise<boolean> {
    return await this.#withObject((name) => leavesFormer(this.#client, { Bucket: this.#bucket, Key: name }))
  }

  async #withObject<T>(run: (name: string, etag: string) => Promise<T>): Promise<T> {
    const name = probeName()
    try {
      const etag = await this.#put(name, randomBytes(16), {})
      return await run(name, etag)
    } catch (error) {
      throw describe(asDriverError(error))
    } finally {
      // Best effort: where this fails, so does what comes next, and says it.
      await Promise.allSettled([this.#delete(name, {})])
    }
  }

  /** What is refused for whatever reason does not succeed; a backend that is away at the moment is no answer. */
  async #succeeds(step: () => Promise<unknown>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      const refusal = asDriverError(error)
      if (refusal.code === 'unavailable') throw refusal
      return false
    }
  }

  async #refusesUpload(name: string, wanted: object): Promise<boolean> {
    const target = { Bucket: this.#bucket, Key: name }
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(target))
    const part = { ...target, UploadId, PartNumber: 1, Body: 'part' }
    const { ETag } = await this.#client.send(new UploadPartCommand(part))
    const upload = { ...target, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }
    try {
      await this.#client.send(new CompleteMultipartUploadCommand({ ...upload, ...wanted }))
      return false
    } catch (error) {
      const refusal = asDriverError(error)
      if (refusal.code === 'unavailable') throw refusal
      await this.#client.send(new AbortMultipartUploadCommand({ ...target, UploadId }))
      return isUnmet(error)
    }
  }

  async #put(name: string, bytes: Uint8Array | string, native: object): Promise<string> {
    const input = { Bucket: this.#bucket, Key: name, Body: bytes, ...native }
    return bareEtag((await this.#client.send(new PutObjectCommand(input))).ETag)
  }

  async #get(name: string): Promise<Uint8Array | null> {
    try {
      const answer = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: name }))
      return (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  async #list(prefix: string): Promise<string[]> {
    const input = { Bucket: this.#bucket, Prefix: prefix }
    const { Contents } = await this.#client.send(new ListObjectsV2Command(input))
    return (Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
  }

  async #delete(name: string, native: object): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: name, ...native }))
  }

  async #copy(from: string, to: string, etag: string): Promise<void> {
    const source = { CopySource: `${this.#bucket}/${from}`, CopySourceIfMatch: `"${etag}"` }
    await this.#client.send(new CopyObjectCommand({ Bucket: this.#bucket, Key: to, ...source }))
  }
}

function condition(wanted: Condition, quotedIfMatch: boolean) {
  return nativeCondition({ traits: { quotedIfMatch } }, wanted)
}

function describe(error: DriverError): DriverError {
  return new DriverError(error.code, `the storage cannot be used: ${error.message}`, { cause: error })
}

async function asStep<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!isUnmet(error) && !isConflict(error)) throw asDriverError(error)
    throw new DriverError('precondition_failed', 'the condition does not hold', { cause: error })
  }
}
