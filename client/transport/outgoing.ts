import { InvalidInputError } from '../errors.ts'
import type { Attempt } from './send.ts'
import type { Progress, RequestBody } from './transport.ts'

/** A body on its way. */
export interface Outgoing {
  /** A promise where a stream has yet to be read. */
  readonly body: RequestBody | Promise<RequestBody> | null
  /** Told of bytes by whatever sends a body that does not count itself. */
  readonly onProgress: (progress: Progress) => void
  /** Why the caller's own stream failed; `null` as long as it did not. */
  readonly failure: unknown
}

/** Small bodies go out as they are; larger ones in slices, so that one can see them go. */
const sliceBytes = 64 * 1024

/**
 * Readies a body for one try. In Node it is counted as it is taken; a browser counts by itself, and gets streams as a
 * Blob, because it sends streams over HTTP/2 only.
 * @param touch called whenever bytes move
 */
export function outgoing(
  { body, size, onProgress }: Pick<Attempt, 'body' | 'size' | 'onProgress'>,
  touch: () => void,
): Outgoing {
  const report = (progress: Progress) => {
    touch()
    onProgress?.(progress)
  }
  if (body === null) return { body, onProgress: report, failure: null }
  if (isStream(body)) {
    const counted = new CountedBody(body, size, isBrowser() ? touch : report)
    return isBrowser() ? new GatheredBody(counted, report) : counted
  }
  const isPlain = isBrowser() || (lengthOf(body) <= sliceBytes && onProgress === undefined)
  if (isPlain) return { body, onProgress: report, failure: null }
  return new CountedBody(streamOf(body), size, report)
}

/** Counts bytes as they are taken, and remembers what is wrong with the stream that they come from. */
class CountedBody implements Outgoing {
  readonly body: ReadableStream<Uint8Array>
  readonly onProgress: (progress: Progress) => void
  failure: unknown = null
  readonly #total: number | null
  #loaded = 0

  constructor(
    source: ReadableStream<Uint8Array>,
    total: number | null,
    report: (progress: Progress) => void,
  ) {
    const reader = source.getReader()
    this.onProgress = report
    this.#total = total
    this.body = new ReadableStream(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read().catch((error: unknown) => this.#fail(error))
          this.#count(done ? null : value)
          if (done) {
            controller.close()
            return
          }
          controller.enqueue(value)
          report({ loaded: this.#loaded, total })
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  /** @param chunk `null` at the end */
  #count(chunk: unknown): void {
    if (chunk !== null && !(chunk instanceof Uint8Array)) {
      this.#fail(new InvalidInputError('a stream to store must be one of bytes'))
    }
    this.#loaded += chunk === null ? 0 : chunk.length
    if (this.#total === null) return
    if (chunk === null ? this.#loaded === this.#total : this.#loaded <= this.#total) return
    this.#fail(new InvalidInputError(`the stream does not have the ${this.#total} bytes that "size" says`))
  }

  #fail(error: unknown): never {
    this.failure = error
    throw error
  }
}

/** A stream that is read to its end before it is sent. Browsers keep large Blobs on disk. */
class GatheredBody implements Outgoing {
  readonly body: Promise<Blob>
  readonly onProgress: (progress: Progress) => void
  readonly #counted: CountedBody

  constructor(counted: CountedBody, report: (progress: Progress) => void) {
    this.#counted = counted
    this.onProgress = report
    this.body = new Response(counted.body).blob()
  }

  get failure(): unknown {
    return this.#counted.failure
  }
}

/** Whether a body is a stream: what can be taken from it once. */
export function isStream(body: RequestBody): body is ReadableStream<Uint8Array> {
  return body instanceof ReadableStream
}

function lengthOf(body: Uint8Array | Blob): number {
  return body instanceof Blob ? body.size : body.length
}

function streamOf(body: RequestBody): ReadableStream<Uint8Array> {
  if (isStream(body)) return body
  return body instanceof Blob ? body.stream() : slices(body)
}

function slices(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let offset = 0
  return new ReadableStream(
    {
      pull(controller) {
        if (offset >= bytes.length) {
          controller.close()
          return
        }
        controller.enqueue(bytes.subarray(offset, offset + sliceBytes))
        offset += sliceBytes
      },
    },
    { highWaterMark: 0 },
  )
}

function isBrowser(): boolean {
  return 'XMLHttpRequest' in globalThis || 'WorkerGlobalScope' in globalThis
}
