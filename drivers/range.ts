import type { ReadRange } from './driver.ts'
import { DriverError } from './errors.ts'

/**
 * The bytes that a range asks for, both inclusive (RFC 9110, 14.1.2): `last` is cut at the end, a suffix longer
 * than the object is all of it.
 * @throws `range_not_satisfiable` when it begins at or after the end; of an empty object every range does
 */
export function resolveRange(range: ReadRange, size: number): { first: number; last: number } {
  const first = 'suffix' in range ? Math.max(0, size - range.suffix) : range.first
  const last = 'suffix' in range ? size - 1 : Math.min(range.last ?? size - 1, size - 1)
  if (first >= size || last < first) {
    throw new DriverError('range_not_satisfiable', `the range lies outside of the ${size} bytes`, { size })
  }
  return { first, last }
}
