import type { BodyPart } from '../body-parts.ts'

/** S3 wants 5 MiB at least; services that keep pieces of 4 MiB take these faster. */
export const partBytes = 8 * 1024 * 1024
/** Parts of all uploads that may be on their way before further ones of an upload have to wait. */
const maxUnderWay = 12
/** How many buffers are kept for the next parts. */
const maxFree = 4

/** A part, and the buffer that it lies in where that can be used again. */
export interface HeldPart extends BodyPart {
  lent?: Buffer
}

/** The memory of large writes: bounded, and used again, since making it anew costs more than sending it. */
export class PartMemory {
  readonly #free: Buffer[] = []
  #underWay = 0

  get isBusy(): boolean {
    return this.#underWay >= maxUnderWay
  }

  /** Reads a part of a body into memory that is to be given back. */
  async hold(bytes: number, take: (bytes: number, into: Buffer) => Promise<BodyPart>): Promise<HeldPart> {
    const lent = (bytes === partBytes ? this.#free.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes)
    return { ...(await take(bytes, lent)), lent }
  }

  /** While `send` is at work the part is under way. Its memory is used again only when that succeeded. */
  async whileSending(part: HeldPart, send: () => Promise<void>): Promise<void> {
    this.#underWay++
    try {
      await send()
      this.#giveBack(part)
    } finally {
      this.#underWay--
    }
  }

  /** What failed may still be in the hands of a connection, so it is left to the garbage collector. */
  #giveBack({ lent }: HeldPart): void {
    if (lent?.length === partBytes && this.#free.length < maxFree) this.#free.push(lent)
  }
}
