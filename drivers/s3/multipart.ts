import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { BodyParts } from '../body-parts.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { dateOfAnswer } from './client.ts'
import type { Committed } from './commit.ts'
import { type HeldPart, partBytes } from './part-memory.ts'
import { attributesOf, commit, type Target } from './put.ts'
import { bareEtag, isEtag, type Store, targetOf, timeFor } from './store.ts'
import { headVersion } from './version.ts'

const maxParts = 10_000
/** Parts of one upload that are on their way at once. */
const maxUnderWay = 3

interface Upload {
  readonly store: Store
  readonly target: Target
  readonly id: string
}

/**
 * Stores a body in parts, as it comes. What is not completed is aborted, when no part is on its way any more: one
 * that arrived later would stay.
 */
export async function uploadParts(
  store: Store,
  target: Target,
  first: HeldPart,
  rest: BodyParts,
): Promise<ObjectInfo> {
  const input = { ...targetOf(store, target.key), ...attributesOf(target) }
  const { UploadId: id } = await store.client.send(new CreateMultipartUploadCommand(input))
  if (id === undefined) throw new DriverError('backend', 'the storage began an upload without naming it')
  const upload = { store, target, id }
  try {
    const { sent, size } = await new Sending(upload, rest).all(first)
    const { etag, lastModifiedMs } = await commit(store, target, (condition) =>
      complete(upload, sent, condition),
    )
    return { etag, size, contentType: target.options.contentType, lastModifiedMs }
  } catch (error) {
    // Best effort: what went wrong first is what to tell. A rule of the bucket can remove what is left.
    const abort = new AbortMultipartUploadCommand({ ...targetOf(store, target.key), UploadId: id })
    await Promise.allSettled([store.client.send(abort)])
    throw error
  }
}

/** The parts of one upload on their way. */
class Sending {
  readonly #upload: Upload
  readonly #rest: BodyParts
  readonly #underWay = new Set<Promise<void>>()
  readonly #sent: CompletedPart[] = []
  #size = 0
  #failure: { readonly error: unknown } | undefined

  constructor(upload: Upload, rest: BodyParts) {
    this.#upload = upload
    this.#rest = rest
  }

  /** Resolves when all are there; rejects when one is not, with none on its way any more. */
  async all(first: HeldPart): Promise<{ sent: CompletedPart[]; size: number }> {
    try {
      for (let part = first, number = 1; ; number++) {
        this.#start(part, number)
        if (part.last) break
        await this.#room()
        part = await this.#next(number + 1)
      }
    } catch (error) {
      await Promise.all(this.#underWay)
      // A part that failed has stopped the body, which then failed too.
      throw this.#failure === undefined ? error : this.#failure.error
    }
    await Promise.all(this.#underWay)
    this.#check()
    this.#sent.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
    return { sent: this.#sent, size: this.#size }
  }

  #next(number: number): Promise<HeldPart> {
    const bytes = bytesOfPart(number, this.#upload.target.options.size)
    return this.#upload.store.memory.hold(bytes, (wanted, into) => this.#rest.take(wanted, into))
  }

  #start(part: HeldPart, number: number): void {
    if (number > maxParts) throw new DriverError('backend', 'the body is larger than the storage can hold')
    this.#size += part.bytes.length
    const sending = this.#send(part, number).finally(() => this.#underWay.delete(sending))
    this.#underWay.add(sending)
  }

  /** Never rejects: a failure is kept, and stops the body. */
  async #send(part: HeldPart, number: number): Promise<void> {
    try {
      await this.#upload.store.memory.whileSending(part, async () => {
        this.#sent.push(await sendPart(this.#upload, part.bytes, number))
      })
    } catch (error) {
      this.#failure ??= { error }
      this.#rest.stop()
    }
  }

  /** Waits until another part may be taken into memory; an upload never waits for others while it has none there. */
  async #room(): Promise<void> {
    const { memory } = this.#upload.store
    for (;;) {
      this.#check()
      const own = this.#underWay.size
      if (own < 1 || (own < maxUnderWay && !memory.isBusy)) return
      await Promise.race(this.#underWay)
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Bytes of a part: few for small objects, and growing, so that 10,000 parts hold 5 TiB where the size is known. */
function bytesOfPart(number: number, size: number | undefined): number {
  const growing = partBytes * (1 + Math.floor(number / 1000))
  return size === undefined ? growing : Math.max(partBytes, Math.ceil(size / maxParts))
}

async function sendPart(
  { store, target, id }: Upload,
  bytes: Buffer,
  number: number,
): Promise<CompletedPart> {
  const input = { ...targetOf(store, target.key), UploadId: id, PartNumber: number, Body: bytes }
  const command = new UploadPartCommand(input)
  command.middlewareStack.add(
    (next) => (args) => {
      // As the SDK does with streams. A hash over all that is sent would be a third of the work, and TLS has one.
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      return next(args)
    },
    { step: 'build', name: 'unsignedPayload' },
  )
  const { ETag } = await store.client.send(command, timeFor(store, bytes.length))
  return { PartNumber: number, ETag }
}

async function complete(
  { store, target, id }: Upload,
  parts: CompletedPart[],
  condition: object,
): Promise<Committed> {
  const input = { ...targetOf(store, target.key), UploadId: id, MultipartUpload: { Parts: parts } }
  const command = new CompleteMultipartUploadCommand({ ...input, ...condition })
  // Putting many parts together takes a service its time.
  const answer = await store.client.send(command, timeFor(store, 60 * 1024 * 1024))
  const etag = bareEtag(answer.ETag)
  if (isEtag(etag)) return { etag, lastModifiedMs: dateOfAnswer(answer) }
  // Some services do not say what they have made.
  const version = await headVersion(store, target.key)
  if (version === null) throw new DriverError('busy', 'the object was deleted as soon as it was there')
  return version.info
}
