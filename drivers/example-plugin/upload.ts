import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { readBody } from '../index.ts'
import { asDriver, type Database } from './database.ts'
import { chunkBytes, chunkName, chunkRange, uploadName } from './records.ts'

export type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer }

/** The bytes of a version that nobody sees yet. */
export interface Upload {
  readonly etag: string
  readonly size: number
  /** What the commit has to write along with the pointer to the version. */
  readonly rest: Operation[]
}

/** Pieces that are written at once, and durably: LevelDB may lose an earlier write and keep a later one otherwise. */
const batchChunks = 16

/**
 * Takes a body in, piece by piece. What fits into one batch is left to the commit; more than that is announced
 * first, so that the next start finds it if the process ends here.
 * @throws the error of the body as it is; then nothing of it is left
 */
export async function receive(database: Database, body: Readable, size: number | undefined): Promise<Upload> {
  const etag = randomBytes(16).toString('hex')
  const announced: Operation = { type: 'put', key: uploadName(etag), value: Buffer.alloc(0) }
  let rest: Operation[] = []
  let written = 0
  let received = 0
  try {
    for await (const chunk of cut(readBody(body, size))) {
      if (rest.length === batchChunks) {
        const operations = written === 0 ? [announced, ...rest] : rest
        await asDriver(() => database.batch(operations, { sync: true }))
        written += rest.length
        rest = []
      }
      rest.push({ type: 'put', key: chunkName(etag, written + rest.length), value: chunk })
      received += chunk.length
    }
    if (written > 0) rest.push({ type: 'del', key: uploadName(etag) })
    return { etag, size: received, rest }
  } catch (error) {
    if (written > 0) await discard(database, etag)
    throw error
  }
}

/** Takes an upload away again. */
export async function discard(database: Database, etag: string): Promise<void> {
  await asDriver(() => database.clear(chunkRange(etag)))
  await asDriver(() => database.del(uploadName(etag)))
}

/** All pieces but the last are of one size. */
async function* cut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let piece = Buffer.alloc(chunkBytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + chunkBytes - filled)
      piece.set(part, filled)
      filled += part.byteLength
      at += part.byteLength
      if (filled < chunkBytes) continue
      yield piece
      piece = Buffer.alloc(chunkBytes)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
