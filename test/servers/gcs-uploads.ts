import { randomBytes } from 'node:crypto'
import { Refusal } from './gcs-refusal.ts'
import type { Described, GcsStore, StoredObject } from './gcs-store.ts'

/** What is not the end of an object is kept in units of this many bytes only. */
const unitBytes = 256 * 1024

interface Session {
  readonly bucket: string
  readonly name: string
  readonly described: Described
  /** Its conditions are looked at when the object is made. */
  readonly query: URLSearchParams
  pieces: Buffer[]
  size: number
  done: StoredObject | null
}

/** What a request to a session leads to: the object, or how much is kept so far. */
export type Progress = { readonly done: StoredObject } | { readonly kept: number }

/** Resumable uploads. */
export class GcsUploads {
  readonly #store: GcsStore
  readonly #sessions = new Map<string, Session>()

  constructor(store: GcsStore) {
    this.#store = store
  }

  /** Names of objects whose upload neither ended nor was cancelled. */
  open(bucket: string): string[] {
    return this.ids(bucket).map((id) => this.#session(id).name)
  }

  /** Of the uploads that neither ended nor were cancelled. */
  ids(bucket: string): string[] {
    const sessions = [...this.#sessions]
    return sessions
      .filter(([, session]) => session.bucket === bucket && session.done === null)
      .map(([id]) => id)
  }

  start(bucket: string, name: string, described: Described, query: URLSearchParams): string {
    this.#store.bucket(bucket)
    const id = randomBytes(24).toString('base64url')
    this.#sessions.set(id, { bucket, name, described, query, pieces: [], size: 0, done: null })
    return id
  }

  cancel(id: string): void {
    this.#session(id)
    this.#sessions.delete(id)
  }

  /**
   * Takes what a request brought.
   * @param whole whether the request came to its end
   */
  take(
    id: string,
    contentRange: string | undefined,
    body: Buffer,
    whole: boolean,
    hashes: Described,
  ): Progress {
    const session = this.#session(id)
    if (session.done !== null) return { done: session.done }
    const { first, total, toEnd } = parseContentRange(contentRange ?? 'bytes 0-*/*')
    if (first !== null) this.#append(session, first, body)
    const ends = whole && (total === null ? toEnd : total === session.size)
    if (!ends) {
      this.#keepUnits(session)
      return { kept: session.size }
    }
    return { done: this.#finish(id, session, hashes) }
  }

  #session(id: string): Session {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new Refusal(404, 'notFound', 'The upload session is not known.')
    return session
  }

  #append(session: Session, first: number, body: Buffer): void {
    if (first > session.size) {
      throw new Refusal(400, 'invalid', `Invalid request. There are ${session.size} bytes, not ${first}.`)
    }
    const fresh = body.subarray(session.size - first)
    session.pieces.push(fresh)
    session.size += fresh.length
  }

  #keepUnits(session: Session): void {
    const kept = session.size - (session.size % unitBytes)
    session.pieces = [Buffer.concat(session.pieces).subarray(0, kept)]
    session.size = kept
  }

  #finish(id: string, session: Session, hashes: Described): StoredObject {
    try {
      const bytes = Buffer.concat(session.pieces)
      const described = { ...session.described, ...hashes }
      session.done = this.#store.insert(session.bucket, session.name, bytes, described, session.query)
      session.pieces = []
      return session.done
    } catch (error) {
      this.#sessions.delete(id)
      throw error
    }
  }
}

/**
 * `bytes <first>-<last>/<total>`, `bytes <first>-<anything>/*` or, to ask only, `bytes *` with `/<total>`.
 * @returns `toEnd` when the object ends where the request does
 */
function parseContentRange(text: string): { first: number | null; total: number | null; toEnd: boolean } {
  const match = /^bytes (?:\*|(\d+)-(\*|\d+))\/(\*|\d+)$/.exec(text)
  if (match === null) throw new Refusal(400, 'invalid', 'Failed to parse Content-Range header.')
  const [, first, last, total] = match
  return {
    first: first === undefined ? null : Number(first),
    total: total === undefined || total === '*' ? null : Number(total),
    toEnd: last === '*',
  }
}
