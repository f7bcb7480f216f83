import type { Readable } from 'node:stream'
import { readPieces } from './body.ts'

export interface BodyPart {
  bytes: Buffer
  /** Whether the body has ended cleanly with this one. */
  last: boolean
}

/** A body taken in pieces of a size, for backends that want whole parts: nothing but the next part is in memory. */
export class BodyParts {
  readonly #body: Readable
  readonly #chunks: AsyncGenerator<Uint8Array>
  /** What was taken of the body and not given out yet. */
  readonly #ahead: Uint8Array[] = []
  #failure: { readonly error: unknown } | undefined

  /** @param size what the caller announced, where it did; a body of another length fails at its end */
  constructor(body: Readable, size: number | undefined) {
    this.#body = body
    this.#chunks = readPieces(body, size)
  }

  /** Whether an error is one that the body itself failed with: that one goes to the caller as it is. */
  isFailure(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error
  }

  /** Takes no more: the body is destroyed, and whoever waits for a part fails. */
  stop(): void {
    this.#body.destroy()
  }

  /**
   * Takes so many bytes in, or the whole body, and gives them out later.
   * @returns whether the whole body is in, as far as is known
   */
  async takeAhead(bytes: number): Promise<boolean> {
    let length = this.#ahead.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    while (length < bytes) {
      const chunk = await this.#receive()
      if (chunk === null) return true
      this.#ahead.push(chunk)
      length += chunk.byteLength
    }
    return false
  }

  /** What comes next, in whatever pieces it comes; `null` when the body has ended cleanly. */
  async next(): Promise<Uint8Array | null> {
    return this.#ahead.shift() ?? (await this.#receive())
  }

  /**
   * The next part: `bytes` long, or shorter when the body ends. A part of full length is the last one only when the
   * body is known to have ended, so what comes after it always is a part of its own.
   * @param into to put the part there, which spares memory that is used once; at least `bytes` long
   */
  async take(bytes: number, into?: Buffer): Promise<BodyPart> {
    if (into !== undefined) return await this.#fill(into.subarray(0, bytes))
    const pieces: Uint8Array[] = []
    let length = 0
    while (length <= bytes) {
      const chunk = await this.next()
      if (chunk === null) return { bytes: join(pieces), last: true }
      if (chunk.byteLength > 0) pieces.push(chunk)
      length += chunk.byteLength
    }
    const all = join(pieces)
    this.#ahead.unshift(all.subarray(bytes))
    return { bytes: all.subarray(0, bytes), last: false }
  }

  async #fill(into: Buffer): Promise<BodyPart> {
    let length = 0
    for (;;) {
      const piece = await this.next()
      if (piece === null) return { bytes: into.subarray(0, length), last: true }
      const fits = Math.min(piece.byteLength, into.length - length)
      into.set(piece.subarray(0, fits), length)
      length += fits
      if (fits < piece.byteLength) {
        this.#ahead.unshift(piece.subarray(fits))
        return { bytes: into, last: false }
      }
    }
  }

  async #receive(): Promise<Uint8Array | null> {
    try {
      const next = await this.#chunks.next()
      return next.done === true ? null : next.value
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }
}

function join(pieces: readonly Uint8Array[]): Buffer {
  const [first] = pieces
  if (first === undefined) return Buffer.alloc(0)
  // A body that comes in one piece is not copied.
  return pieces.length === 1 ? asBuffer(first) : Buffer.concat(pieces)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
