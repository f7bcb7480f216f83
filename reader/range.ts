/** Bytes of an object, both inclusive. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * What a `Range` header asks of an object (RFC 9110 section 14.1.2). `null` where the whole is to be sent: another
 * unit, several ranges (section 14.2 leaves that to the server) or a malformed header. `unsatisfiable` is a 416.
 *
 * Express's own parser is not used: it calls a suffix longer than the object unsatisfiable, where all of it is
 * asked for, and a range that ends before it begins too, where the header is invalid and must be ignored.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const spec = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '')
  if (spec === null) return null
  const [, first = '', last = ''] = spec
  if (first === '') return last === '' ? null : suffixOf(Number(last), size)
  if (last !== '' && Number(last) < Number(first)) return null
  if (Number(first) >= size) return 'unsatisfiable'
  return { first: Number(first), last: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

function suffixOf(length: number, size: number): ByteRange | 'unsatisfiable' | null {
  if (length === 0) return 'unsatisfiable'
  // All of an empty object is satisfiable, but no Content-Range can say so: it is sent as a whole.
  return size === 0 ? null : { first: Math.max(0, size - length), last: size - 1 }
}
