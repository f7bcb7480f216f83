import { DriverError } from './errors.ts'
import type { Key } from './key.ts'
import { parseKeyOrNull } from './parse-key.ts'

/**
 * List cursors of the drivers that walk in key order by themselves: the last key of a page in base64url. A
 * position by name stays right while files come and go, across restarts and between instances.
 */

/** The cursor of a page that ends with `last`. */
export function encodeCursor(last: Key): string {
  return Buffer.from(last).toString('base64url')
}

/** The longest cursor that {@link encodeCursor} can make is about 1,700 characters. */
const maxCursorLength = 4096

/**
 * The key that a cursor stands for.
 * @throws `invalid_cursor` when it is malformed or does not belong to `prefix`
 */
export function decodeCursor(cursor: string, prefix: string): Key {
  const key = cursor.length <= maxCursorLength ? decode(cursor) : null
  if (key === null) throw new DriverError('invalid_cursor', 'the cursor is malformed')
  if (!key.startsWith(prefix)) {
    throw new DriverError('invalid_cursor', 'the cursor belongs to another listing')
  }
  return key
}

function decode(cursor: string): Key | null {
  const text = Buffer.from(cursor, 'base64url').toString()
  // Node's decoder skips what it does not know; only the canonical form names a position.
  if (Buffer.from(text).toString('base64url') !== cursor) return null
  return parseKeyOrNull(text)
}
