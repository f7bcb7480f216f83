import type { Driver, ListEntry, ListPage } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { type Address, compareKeys } from '../drivers/key.ts'
import type { Reach } from './auth/capability.ts'

export interface ListingOptions {
  limit: number
  /** `null` for the beginning, else the `cursor` of the page before. */
  cursor: string | null
  stat: boolean
}

/** The most reaches that one page looks into; each asks the storage. */
const maxReachesPerPage = 16

/**
 * One page of what lies within reaches of an address, in key order. Nothing beside them is looked at: the cursor of a
 * page is the name that it ends with, so a page of names that may not be seen would tell them all the same. A page
 * may be empty while more follows.
 * @param reaches disjoint and in key order
 */
export async function listWithin(
  driver: Driver,
  address: Address,
  reaches: readonly Reach[],
  { limit, cursor, stat }: ListingOptions,
): Promise<ListPage> {
  const start = readPosition(cursor, reaches)
  const left = reaches.filter(({ path }) => start.path === null || compareKeys(path, start.path) >= 0)
  const entries: ListEntry[] = []
  for (const [index, reach] of left.entries()) {
    if (entries.length >= limit || index >= maxReachesPerPage) {
      return { entries, cursor: positionOf({ path: reach.path, cursor: null }, reaches) }
    }
    const from = reach.path === start.path ? start.cursor : null
    const page = await pageOf(driver, address, reach, { limit: limit - entries.length, cursor: from, stat })
    entries.push(...page.entries)
    if (page.cursor !== null) {
      return { entries, cursor: positionOf({ path: reach.path, cursor: page.cursor }, reaches) }
    }
  }
  return { entries, cursor: null }
}

async function pageOf(
  driver: Driver,
  address: Address,
  reach: Reach,
  options: ListingOptions,
): Promise<ListPage> {
  const key = `${address}/${reach.path}`
  if (reach.kind !== 'file') return driver.list(key, options)
  // Of the keys that begin with a key, that one is the first.
  const { entries } = await driver.list(key, { ...options, limit: 1, cursor: null })
  return { entries: entries.filter((entry) => entry.key === key), cursor: null }
}

/** Where a listing of several reaches goes on: in which, and where in it; `null` for its beginning. */
interface Position {
  readonly path: string | null
  readonly cursor: string | null
}

/** No cursor of a driver that is base64url begins with it. */
const mark = '~'

function positionOf({ path, cursor }: Position, reaches: readonly Reach[]): string {
  if (reaches.length === 1 && cursor !== null) return cursor
  return `${mark}${Buffer.from(path ?? '').toString('base64url')}.${cursor ?? ''}`
}

/** By the path and not by its number: what a credential reaches may change from page to page. */
function readPosition(text: string | null, reaches: readonly Reach[]): Position {
  if (text === null) return { path: null, cursor: null }
  const [only] = reaches
  if (!text.startsWith(mark)) {
    if (only === undefined || reaches.length > 1) throw anotherListing()
    return { path: only.path, cursor: text }
  }
  const [encoded = '', ...cursor] = text.slice(mark.length).split('.')
  const path = Buffer.from(encoded, 'base64url').toString()
  if (cursor.length === 0 || Buffer.from(path).toString('base64url') !== encoded) throw anotherListing()
  return { path, cursor: cursor.join('.') || null }
}

function anotherListing(): DriverError {
  return new DriverError('invalid_cursor', 'the cursor belongs to another listing')
}
