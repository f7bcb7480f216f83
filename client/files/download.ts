import { NotFoundError, PreconditionFailedError, TransferError } from '../errors.ts'
import type { Backoff } from '../transport/backoff.ts'
import type { Progress, Transport } from '../transport/transport.ts'
import { etagFrom } from './answers.ts'
import type { FileInfo } from './file.ts'
import { IdleReader } from './idle-reader.ts'
import { type Part, partFrom, type Range, rangeHeader } from './range.ts'
import { changed, findVersion, isElsewhere, storageEtag } from './whereabouts.ts'

export interface DownloadOptions {
  /** A part of the file. */
  range?: Range | undefined
  /** Nothing is read where the file is still this version. */
  ifNoneMatch?: string | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

/** A version that is being read. */
export interface Download {
  readonly info: FileInfo
  /** The bytes that will come, `null` where the reader does not say. */
  readonly length: number | null
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>
}

/**
 * Begins to read a file; where the connection breaks it goes on from there, with the same version.
 * @returns the etag where `ifNoneMatch` still holds
 * @throws {NotFoundError}, {RangeNotSatisfiableError}
 */
export async function download(
  transport: Transport,
  path: string,
  options: DownloadOptions = {},
): Promise<Download | { readonly notModified: string }> {
  const { range, ifNoneMatch, signal } = options
  const ask = () =>
    transport.request({
      method: 'GET',
      url: transport.fileUrl(path),
      headers: {
        ...(range === undefined ? {} : { Range: rangeHeader(range) }),
        ...(ifNoneMatch === undefined ? {} : { 'If-None-Match': ifNoneMatch }),
      },
      accept: ifNoneMatch === undefined ? [] : [304],
      signal,
      // A browser's cache may hold a former version.
      cache: ifNoneMatch === undefined ? 'no-cache' : 'no-store',
    })
  const found = await findVersion(transport, path, ask, signal)
  if ('notModified' in found) return { notModified: ifNoneMatch ?? etagFrom(found.notModified.headers) }
  const { response } = found
  const part = partFrom(response, range)
  const info = { ...found.info, size: part.fileSize ?? found.info.size }
  const source = new Resuming(transport, info, part, response, options)
  return { info, length: part.length, stream: source.stream() }
}

/** Reads one version to its end over as many connections as it takes. */
class Resuming {
  readonly #transport: Transport
  readonly #info: FileInfo
  readonly #part: Part
  readonly #options: DownloadOptions
  /** What the storage calls this version, where the reader has sent us there; `null` for the reader's own bytes. */
  readonly #storageEtag: string | null
  #reader: IdleReader
  /** Bytes still to be thrown away: the reader does not know of ranges. */
  #skip: number
  #loaded = 0
  #tries: Backoff

  constructor(
    transport: Transport,
    info: FileInfo,
    part: Part,
    response: Response,
    options: DownloadOptions,
  ) {
    this.#transport = transport
    this.#info = info
    this.#part = part
    this.#options = options
    this.#storageEtag = isElsewhere(response, transport.fileUrl(info.path)) ? storageEtag(response) : null
    this.#reader = new IdleReader(response, transport.idleTimeoutMs)
    this.#skip = part.skip
    this.#tries = transport.tries()
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const chunk = await this.#next()
          if (chunk === null) controller.close()
          else controller.enqueue(chunk)
        },
        cancel: () => this.#reader.cancel(),
      },
      { highWaterMark: 0 },
    )
  }

  /** `null` at the end, which does not come before all is here that was announced. */
  async #next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const chunk = this.#left() === 0 ? null : await this.#read()
      if (chunk === null && this.#isWhole()) {
        await this.#reader.cancel()
        return null
      }
      if (chunk === null) await this.#reconnect()
      else if (chunk.length > 0) return this.#count(chunk)
    }
  }

  /** How many bytes of a range are still to come. Of a whole file it is the end of the connection that tells. */
  #left(): number {
    return this.#part.isRange ? (this.#part.length ?? Infinity) - this.#loaded : Infinity
  }

  /**
   * More than was announced comes where something in between compresses and a browser undoes it: the length is that
   * of the compressed bytes then.
   */
  #isWhole(): boolean {
    return this.#part.length === null || this.#loaded >= this.#part.length
  }

  /** `null` at the end of the connection, whether or not that is the end of the file. */
  async #read(): Promise<Uint8Array<ArrayBuffer> | null> {
    let chunk: Uint8Array<ArrayBuffer> | null
    try {
      chunk = await this.#reader.read()
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      if (this.#part.length === null) throw cutOff(error)
      return null
    }
    if (chunk === null) return null
    const skipped = Math.min(this.#skip, chunk.length)
    this.#skip -= skipped
    return chunk.subarray(skipped, skipped + this.#left())
  }

  #count(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#loaded += chunk.length
    // Whatever moves may break as often as it likes.
    this.#tries = this.#transport.tries()
    this.#options.onProgress?.({ loaded: this.#loaded, total: this.#part.length })
    return chunk
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#options
    if (!(await this.#tries.wait(0, signal))) throw cutOff(undefined)
    const first = this.#part.first + this.#loaded
    const range = { first, last: this.#part.first + (this.#part.length ?? 0) - 1 }
    const response = await this.#request(range)
    const part = partFrom(response, range)
    if (!this.#isSame(response) || part.first !== first) throw changed()
    this.#skip = part.skip
    this.#reader = new IdleReader(response, this.#transport.idleTimeoutMs)
  }

  #isSame(response: Response): boolean {
    const etag = etagFrom(response.headers)
    return isElsewhere(response, this.#transport.fileUrl(this.#info.path))
      ? etag === this.#storageEtag
      : etag === this.#info.etag
  }

  /**
   * Asks the reader again, which knows the way that serves now: one to a storage does not last. What is held to a
   * version a reader sends by itself, and may not be able to send so much.
   */
  async #request(range: Range): Promise<Response> {
    const condition = this.#storageEtag === null ? { 'If-Match': this.#info.etag } : {}
    try {
      return await this.#transport.request({
        method: 'GET',
        url: this.#transport.fileUrl(this.#info.path),
        headers: { Range: rangeHeader(range), ...condition },
        signal: this.#options.signal,
        cache: 'no-store',
      })
    } catch (error) {
      if (error instanceof PreconditionFailedError || error instanceof NotFoundError) throw changed()
      throw error
    }
  }
}

function cutOff(cause: unknown): TransferError {
  return new TransferError('the connection broke before the whole file had come', { cause })
}
