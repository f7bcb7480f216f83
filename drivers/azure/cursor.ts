import { createHash } from 'node:crypto'
import { DriverError } from '../errors.ts'

/** A place in a listing. */
export interface Position {
  /** The service's own name for it, `null` for the beginning. Opaque; it stays right while blobs come and go. */
  readonly marker: string | null
  /** What the page before ended with, where that does not follow from the marker. */
  readonly after: string | null
}

export const beginning: Position = { marker: null, after: null }

/** Text that stands for a position in one listing. At most 3,800 characters for names of 1,024 bytes. */
export function encodePosition({ marker, after }: Position, listing: string): string {
  return Buffer.from(JSON.stringify([tagOf(listing), marker, after])).toString('base64url')
}

const maxCursorLength = 4096

/** @throws `invalid_cursor` when it is malformed or was made for another listing */
export function decodePosition(cursor: string, listing: string): Position {
  const parts = cursor.length <= maxCursorLength ? parse(Buffer.from(cursor, 'base64url').toString()) : null
  if (!Array.isArray(parts) || parts.length !== 3) throw malformed()
  const [tag, marker, after]: unknown[] = parts
  if (!isTextOrNull(marker) || !isTextOrNull(after)) throw malformed()
  const position = { marker, after }
  if (tag !== tagOf(listing)) throw new DriverError('invalid_cursor', 'the cursor belongs to another listing')
  // Node's decoder skips what it does not know; only the canonical form names a position.
  if (encodePosition(position, listing) !== cursor) throw malformed()
  return position
}

export function malformed(cause?: unknown): DriverError {
  return new DriverError('invalid_cursor', 'the cursor is malformed', { cause })
}

/** A listing's own prefix may be as long as a name, and a cursor may not grow by it. */
function tagOf(listing: string): string {
  return createHash('sha256').update(listing).digest('base64url').slice(0, 8)
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
