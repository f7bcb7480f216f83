import { Readable } from 'node:stream'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { BodyParts } from '../body-parts.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { dateOfAnswer } from './client.ts'
import type { Committed, NativeCondition } from './commit.ts'
import { asDriverError } from './errors.ts'
import { PassingBody } from './passing-body.ts'
import { attributesOf, commit, retry, type Target } from './put.ts'
import { bareEtag, type Store, targetOf, timeFor } from './store.ts'

/** The largest body that goes as one request: what breaks off is lost, and of parts only one would be. */
const maxStreamedBytes = 128 * 1024 * 1024
/** A body that does not bring so much so fast goes in parts, so that no connection waits for it. */
const fastBytes = 1024 * 1024
const fastMs = 500

/** How many bodies may be on their way while they come: they must leave connections for everything else. */
export class Streams {
  #free: number

  constructor(most: number) {
    this.#free = most
  }

  /** @returns whether there was room; then it has to be given back */
  take(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  giveBack(): void {
    this.#free++
  }
}

/**
 * Sends a body as one request while it comes, which costs no memory, and which every backend holds to its condition.
 * `null`, with nothing of the body lost, where it has to go another way: its size is not known, or too large, it comes
 * too slowly, too many others are on their way, or the backend might take a part of it for the whole.
 * @throws `unavailable` for a fault after the beginning of the body is gone, `busy` for a conflict then
 */
export async function putWhileItComes(
  store: Store,
  target: Target,
  parts: BodyParts,
): Promise<ObjectInfo | null> {
  const { size } = target.options
  if (size === undefined || size > maxStreamedBytes) return null
  if (!store.traits.wholeBodies || !(await comesFast(parts))) return null
  if (!store.streams.take()) return null
  try {
    return await putPassing(store, target, parts, size)
  } finally {
    store.streams.giveBack()
  }
}

async function comesFast(parts: BodyParts): Promise<boolean> {
  const beginMs = performance.now()
  await parts.takeAhead(fastBytes)
  return performance.now() - beginMs < fastMs
}

async function putPassing(store: Store, target: Target, parts: BodyParts, size: number): Promise<ObjectInfo> {
  const body = new PassingBody(parts, size)
  const attempt = (condition: NativeCondition) => {
    const mayRepeat = (error: unknown) => body.isWhole && !parts.isFailure(error)
    return retry(store.maxAttempts, () => send(store, { target, body, size, condition }), mayRepeat)
  }
  const isLost = (error: unknown) => !parts.isFailure(error) && asDriverError(error).code === 'unavailable'
  const { etag, lastModifiedMs } = await commit(store, target, attempt, isLost)
  return { etag, size, contentType: target.options.contentType, lastModifiedMs }
}

interface Sending {
  readonly target: Target
  readonly body: PassingBody
  readonly size: number
  readonly condition: NativeCondition
}

/** @throws the body's own error where that failed */
async function send(store: Store, { target, body, size, condition }: Sending): Promise<Committed> {
  const input = { ...targetOf(store, target.key), ...attributesOf(target), ...condition }
  const aborter = new AbortController()
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown) => {
    failure ??= { error }
    aborter.abort()
  }
  const watch = new Watch(store, fail)
  const stream = Readable.from(pieces(body, watch), { objectMode: false })
  stream.on('error', fail)
  try {
    const command = new PutObjectCommand({ ...input, Body: stream, ContentLength: size })
    // The client's own limit would count the time for which the body is waited for.
    const answer = await store.client.send(command, { abortSignal: aborter.signal, requestTimeout: 0 })
    return { etag: bareEtag(answer.ETag), lastModifiedMs: dateOfAnswer(answer) }
  } catch (error) {
    throw failure === undefined ? error : failure.error
  } finally {
    watch.rest()
    stream.destroy()
    // A request that was answered before it was sent would keep its connection.
    aborter.abort()
  }
}

async function* pieces(body: PassingBody, watch: Watch): AsyncGenerator<Uint8Array> {
  for (let number = 0; ; number++) {
    watch.rest()
    const piece = await body.piece(number)
    watch.expect(piece?.byteLength ?? 0)
    if (piece === null) return
    yield piece
  }
}

/** Limits the time that the backend may take, and not that for which the body is waited for. */
class Watch {
  readonly #store: Store
  readonly #onLate: (error: DriverError) => void
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, onLate: (error: DriverError) => void) {
    this.#store = store
    this.#onLate = onLate
  }

  /** The backend has so many bytes to deal with. */
  expect(bytes: number): void {
    this.rest()
    const late = () =>
      this.#onLate(new DriverError('unavailable', 'the storage stopped in the middle of a request'))
    this.#timer = setTimeout(late, timeFor(this.#store, bytes).requestTimeout)
  }

  rest(): void {
    clearTimeout(this.#timer)
  }
}
