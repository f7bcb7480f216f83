import type { BodyParts } from '../body-parts.ts'
import { DriverError } from '../errors.ts'

/** How much from the beginning of a body is kept, to be sent again. */
const maxKeptBytes = 8 * 1024 * 1024

/**
 * A body of known size on its way to a backend while it comes. Its last piece is held back until it has ended cleanly:
 * a backend that has all the bytes it was told of stores them.
 */
export class PassingBody {
  readonly #parts: BodyParts
  readonly #size: number
  /** From the piece with the number `#firstKept` on. */
  #kept: Uint8Array[] = []
  #firstKept = 0
  #keptBytes = 0
  #heldBack: Uint8Array | null = null
  #receivedBytes = 0
  #isOver = false
  #receiving: Promise<void> | undefined

  constructor(parts: BodyParts, size: number) {
    this.#parts = parts
    this.#size = size
  }

  /** Whether it can be sent from its beginning, which it can until too much of it has passed. */
  get isWhole(): boolean {
    return this.#firstKept === 0
  }

  /** A piece by its number, from 0; `null` after the last one. Several may ask for the same one. */
  async piece(number: number): Promise<Uint8Array | null> {
    for (;;) {
      const piece = this.#kept[number - this.#firstKept]
      if (piece !== undefined) return piece
      if (number < this.#firstKept) throw new DriverError('busy', 'the body cannot be sent again; try again')
      if (this.#isOver) return null
      this.#receiving ??= this.#receive().finally(() => {
        this.#receiving = undefined
      })
      await this.#receiving
    }
  }

  async #receive(): Promise<void> {
    const piece = await this.#parts.next()
    this.#receivedBytes += piece?.byteLength ?? 0
    if (this.#receivedBytes > this.#size) {
      throw new DriverError('backend', `the body has more than the ${this.#size} bytes that were announced`)
    }
    if (this.#heldBack !== null) this.#keep(this.#heldBack)
    this.#heldBack = piece
    this.#isOver = piece === null
  }

  #keep(piece: Uint8Array): void {
    this.#kept.push(piece)
    this.#keptBytes += piece.byteLength
    if (this.#keptBytes <= maxKeptBytes) return
    this.#firstKept += this.#kept.length - 1
    this.#kept = [piece]
  }
}
