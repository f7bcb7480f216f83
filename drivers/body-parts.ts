import type { Readable } from 'node:stream'
import { readBody } from './body.ts'

export interface BodyPart {
  bytes: Buffer
  /** Whether the body has ended cleanly with this one. */
  last: boolean
}

/** A body taken in pieces of a size, for backends that want whole parts: nothing but the next part is in memory. */
export class BodyParts {
  readonly #body: Readable
  readonly #chunks: AsyncGenerator<Uint8Array>
  #rest: Uint8Array = Buffer.alloc(0)
  #failure: { readonly error: unknown } | undefined

  /** @param size what the caller announced, where it did; a body of another length fails at its end */
  constructor(body: Readable, size: number | undefined) {
    this.#body = body
    this.#chunks = readBody(body, size)
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
   * The next part: `bytes` long, or shorter when the body ends. A part of full length is the last one only when the
   * body is known to have ended, so what comes after it always is a part of its own.
   * @param into to put the part there, which spares memory that is used once; at least `bytes` long
   */
  async take(bytes: number, into?: Buffer): Promise<BodyPart> {
    if (into !== undefined) return await this.#fill(into.subarray(0, bytes))
    const pieces = [this.#rest]
    let length = this.#rest.byteLength
    while (length <= bytes) {
      const chunk = await this.#next()
      if (chunk === null) return { bytes: join(pieces), last: true }
      pieces.push(chunk)
      length += chunk.byteLength
    }
    const all = join(pieces)
    this.#rest = all.subarray(bytes)
    return { bytes: all.subarray(0, bytes), last: false }
  }

  async #fill(into: Buffer): Promise<BodyPart> {
    let piece: Uint8Array | null = this.#rest
    let length = 0
    while (piece !== null) {
      const fits = Math.min(piece.byteLength, into.length - length)
      into.set(piece.subarray(0, fits), length)
      length += fits
      this.#rest = piece.subarray(fits)
      if (this.#rest.byteLength > 0) return { bytes: into, last: false }
      piece = await this.#next()
    }
    return { bytes: into.subarray(0, length), last: true }
  }

  async #next(): Promise<Uint8Array | null> {
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
  const [first, second] = pieces
  if (first === undefined) return Buffer.alloc(0)
  if (pieces.length === 1) return asBuffer(first)
  // A body that comes in one piece is not copied.
  if (pieces.length === 2 && second !== undefined && first.byteLength === 0) return asBuffer(second)
  return Buffer.concat(pieces)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
