import { Readable } from 'node:stream'
import { callbackify } from 'node:util'
import { DriverError } from '../index.ts'
import { asDriverError, type Database } from './database.ts'
import { chunkBytes, chunkRange } from './records.ts'

/** A view of the database as it was at one instant. */
export type Snapshot = ReturnType<Database['snapshot']>

/**
 * Bytes `first` to `last` of a version. The snapshot is what lets them be read to the end though the version is
 * overwritten meanwhile; it is given back when the body ends or is destroyed, however early.
 */
export class ChunkBody extends Readable {
  readonly #chunks: ReturnType<typeof chunksOf>
  readonly #snapshot: Snapshot
  #skip: number
  #left: number

  constructor(database: Database, snapshot: Snapshot, etag: string, first: number, length: number) {
    super()
    this.#snapshot = snapshot
    this.#skip = first % chunkBytes
    this.#left = length
    this.#chunks = chunksOf(database, snapshot, etag, Math.floor(first / chunkBytes))
  }

  override _read(): void {
    if (this.#left === 0) this.push(null)
    else this.#next().catch((error: unknown) => this.destroy(asDriverError(error)))
  }

  async #next(): Promise<void> {
    const chunk = await this.#chunks.next()
    if (chunk === undefined) throw new DriverError('backend', 'the database has lost a part of an object')
    const bytes = chunk.subarray(this.#skip, this.#skip + this.#left)
    this.#skip = 0
    this.#left -= bytes.length
    this.push(bytes)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    callbackify(() => this.#free())((freeing) => done(error ?? freeing))
  }

  async #free(): Promise<void> {
    await this.#chunks.close()
    await this.#snapshot.close()
  }
}

function chunksOf(database: Database, snapshot: Snapshot, etag: string, from: number) {
  // One piece at a time: who does not read must not be read ahead of.
  return database.values({ ...chunkRange(etag, from), snapshot, highWaterMarkBytes: chunkBytes })
}
