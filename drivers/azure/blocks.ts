/** Azure: a blob has at most 50,000 blocks. */
export const maxBlocks = 50_000

export interface Block {
  readonly bytes: Buffer
  /** Whether the body has ended, cleanly, with this one. */
  readonly isLast: boolean
}

/**
 * Cuts a body into blocks of one size, the last one aside; an empty body is one empty block. A full block is told
 * when it is known whether more follows, so that a body of one block can be stored in one piece.
 */
export async function* cutIntoBlocks(
  chunks: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<Block> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (let chunk of chunks) {
    while (length + chunk.byteLength > blockBytes) {
      const fitting = chunk.subarray(0, blockBytes - length)
      yield { bytes: join([...pieces, fitting]), isLast: false }
      chunk = chunk.subarray(fitting.byteLength)
      pieces = []
      length = 0
    }
    if (chunk.byteLength > 0) pieces.push(chunk)
    length += chunk.byteLength
  }
  yield { bytes: join(pieces), isLast: true }
}

/** A single piece is sent as it is: small bodies mostly come in one. */
function join(pieces: readonly Uint8Array[]): Buffer {
  const [first, ...others] = pieces
  if (first === undefined || others.length > 0) return Buffer.concat(pieces)
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength)
}
