import type { Bytes } from './bytes.ts'

/** Part of a stream. */
export interface Chunk {
  readonly bytes: Bytes
  readonly isLast: boolean
}

/**
 * Cuts a stream into chunks of a length, whatever it came in; only the last is shorter, and empty only where there is
 * nothing at all.
 * @param allocate memory of that length for the next chunk
 */
export async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  length: number,
  allocate: () => Bytes = () => new Uint8Array(length),
): AsyncGenerator<Chunk> {
  let chunk = allocate()
  let filled = 0
  for await (const part of source) {
    for (let rest = part; rest.length > 0; ) {
      if (filled === length) {
        yield { bytes: chunk, isLast: false }
        chunk = allocate()
        filled = 0
      }
      const taken = rest.subarray(0, length - filled)
      chunk.set(taken, filled)
      filled += taken.length
      rest = rest.subarray(taken.length)
    }
  }
  yield { bytes: chunk.subarray(0, filled), isLast: true }
}

/** Maps a few items at once and gives them in order. WebCrypto works beside the transfer that way. */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  map: (item: T, index: number) => Promise<R>,
  ahead = 4,
): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  let index = 0
  for await (const item of source) {
    const mapped = map(item, index++)
    // It is awaited in its turn; until then its failure is not one that nobody handles.
    mapped.catch(() => undefined)
    running.push(mapped)
    const first = running.length < ahead ? undefined : running.shift()
    if (first !== undefined) yield await first
  }
  for (const mapped of running) yield await mapped
}

/** What can be sealed: bytes, a file, or a stream that is read once. */
export type SealSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

export async function* iterate(source: SealSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) yield source
  else if (source instanceof Blob) yield* iterate(source.stream())
  else if (source instanceof ReadableStream) yield* fromStream(source)
  else yield* source
}

/** Safari does not iterate over streams. */
async function* fromStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** A stream that takes from the source as it is read. */
export function toStream(source: AsyncGenerator<Uint8Array>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const { done, value } = await source.next()
        if (done) controller.close()
        else controller.enqueue(value as Bytes)
      },
      async cancel() {
        await source.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

export async function toBytes(source: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0))
  parts.reduce((offset, part) => {
    whole.set(part, offset)
    return offset + part.length
  }, 0)
  return whole
}
