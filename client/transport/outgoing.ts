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
  if (isBrowser()) return { body: isStream(body) ? blobOf(body) : body, onProgress: report, failure: null }
  if (!isStream(body) && lengthOf(body) <= sliceBytes && onProgress === undefined) {
    return { body, onProgress: report, failure: null }
  }
  return new CountedBody(streamOf(body), size ?? (isStream(body) ? null : lengthOf(body)), report)
}

/** Counts bytes as they are taken, and remembers the error of the stream that they come from. */
class CountedBody implements Outgoing {
  readonly body: ReadableStream<Uint8Array>
  readonly onProgress: (progress: Progress) => void
  failure: unknown = null

  constructor(
    source: ReadableStream<Uint8Array>,
    total: number | null,
    report: (progress: Progress) => void,
  ) {
    const reader = source.getReader()
    let loaded = 0
    this.onProgress = report
    this.body = new ReadableStream(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read().catch((error: unknown) => this.#fail(error))
          if (done) {
            controller.close()
            return
          }
          controller.enqueue(value)
          loaded += value.length
          report({ loaded, total })
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  #fail(error: unknown): never {
    this.failure = error
    throw error
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

/** Browsers keep large Blobs on disk. */
function blobOf(stream: ReadableStream<Uint8Array>): Promise<Blob> {
  return new Response(stream).blob()
}

function isBrowser(): boolean {
  return 'XMLHttpRequest' in globalThis || 'WorkerGlobalScope' in globalThis
}
