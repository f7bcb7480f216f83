/** Whether two streams hold the same bytes; reads neither further than the first difference, and cancels both. */
export async function haveSameBytes(
  left: ReadableStream<Uint8Array>,
  right: ReadableStream<Uint8Array>,
): Promise<boolean> {
  const [a, b] = [new ByteReader(left), new ByteReader(right)]
  try {
    for (;;) {
      const [x, y] = [await a.peek(), await b.peek()]
      if (x === null || y === null) return x === y
      const length = Math.min(x.length, y.length)
      for (let i = 0; i < length; i++) if (x[i] !== y[i]) return false
      a.take(length)
      b.take(length)
    }
  } finally {
    await Promise.all([a.cancel(), b.cancel()])
  }
}

class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #rest: Uint8Array | null = new Uint8Array()

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  /** The bytes at hand, at least one; `null` at the end. */
  async peek(): Promise<Uint8Array | null> {
    while (this.#rest?.length === 0) {
      const { done, value } = await this.#reader.read()
      this.#rest = done ? null : value
    }
    return this.#rest
  }

  take(bytes: number): void {
    this.#rest = this.#rest?.subarray(bytes) ?? null
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined)
  }
}
