import type { ContainerClient } from '@azure/storage-blob'
import { Smallest } from '../disk/smallest.ts'
import { compareKeys } from '../key.ts'
import type { Position } from './cursor.ts'
import { type Item, listSegment, maxSegment } from './segments.ts'

/**
 * UTF-16 puts characters above U+FFFF before those from U+E000 to U+FFFF, UTF-8 after them. Of all names that begin
 * alike, those that go on with either form one run in both orders, and nothing else lies within it. So a run is read
 * whole, and its first names in key order are kept; what lies before and after it is not touched.
 *
 * Each page within a run reads the run again. It is as long as a folder whose files all begin with an emoji, and
 * one name long mostly.
 */

/** Whether a character above U+FFFF stands in a name, from an index on. */
export function hasAstral(name: string, from: number): boolean {
  return firstAstral(name, from) >= 0
}

function firstAstral(name: string, from: number): number {
  for (let i = from; i < name.length; i++) {
    if (isSurrogate(name.charCodeAt(i))) return i
  }
  return -1
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/**
 * The first names, in key order, of the run that begins at a position.
 * @param position the first name there has a character above U+FFFF
 */
export async function takeRun(
  container: ContainerClient,
  prefix: string,
  position: Position,
  limit: number,
): Promise<{ items: readonly Item[]; next: Position | null }> {
  const first = new Smallest<Item & { order: string }>(limit + 1)
  let isMember: ((item: Item) => boolean) | null = null
  let { marker } = position
  for (;;) {
    const { items, next } = await listSegment(container, prefix, marker, maxSegment)
    isMember ??= memberOfRun(items[0], prefix)
    const end = countMembers(items, isMember)
    for (const item of items.slice(0, end)) offer(first, item, position.after)
    if (end < items.length) {
      const place = await placeAfter(container, prefix, marker, end, isMember)
      return cut(first.take(), limit, position, place)
    }
    if (next === null) return cut(first.take(), limit, position, null)
    marker = next
  }
}

/** A place that the service has a name for. */
type Place = Pick<Position, 'marker'>

/** What follows a page of the run: more of it, or what comes after it. */
function cut(found: readonly Item[], limit: number, position: Position, place: Place | null) {
  const items = found.slice(0, limit)
  const after = items.at(-1)?.name ?? position.after
  if (found.length > limit) return { items, next: { marker: position.marker, after } }
  return { items, next: place === null ? null : { marker: place.marker, after } }
}

function memberOfRun(item: Item | undefined, prefix: string): (item: Item) => boolean {
  const at = item === undefined ? -1 : firstAstral(item.name, prefix.length)
  // It has gone since it was seen: there is no run here any more.
  if (item === undefined || at < 0) return () => false
  const stem = item.name.slice(0, at)
  return ({ name }) => name.startsWith(stem) && name.charCodeAt(at) >= 0xd800
}

function countMembers(items: readonly Item[], isMember: (item: Item) => boolean): number {
  const end = items.findIndex((item) => !isMember(item))
  return end < 0 ? items.length : end
}

function offer(first: Smallest<Item & { order: string }>, item: Item, after: string | null): void {
  if (after !== null && compareKeys(item.name, after) <= 0) return
  // One character a byte: then text compares as UTF-8 does.
  const order = Buffer.from(item.name).toString('latin1')
  if (first.admits(order)) first.add({ ...item, order })
}

/**
 * The service's name of the place after the run's last members, which it says after a segment that ends there. Where
 * names have come meanwhile it may lie before the run's end: what was told already is known by `after`.
 */
async function placeAfter(
  container: ContainerClient,
  prefix: string,
  marker: string | null,
  count: number,
  isMember: (item: Item) => boolean,
): Promise<Place | null> {
  for (let limit = count; limit > 0; ) {
    const { items, next } = await listSegment(container, prefix, marker, limit)
    limit = countMembers(items, isMember)
    if (limit === items.length) return next === null ? null : { marker: next }
  }
  return { marker }
}
