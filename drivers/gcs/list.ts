import { bucketPage, decodeBucketCursor, isBucketName } from '../buckets.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { BucketPage, ListBucketsOptions, ListEntry, ListOptions, ListPage } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { compareKeys } from '../key.ts'
import { parseKeyOrNull } from '../parse-key.ts'
import type { Api, Query } from './api.ts'
import { canHold, infoOf, membersOf, objectFields } from './object-info.ts'

/** The most that the storage names at once. */
const maxPage = 1000

/**
 * Goes on by name and not by the storage's page tokens, so that a cursor is good for ever and everywhere. Names
 * that no key can have, such as folders that other programs made, are left out.
 */
export async function listObjects(api: Api, prefix: string, options: ListOptions): Promise<ListPage> {
  const after = options.cursor === null ? null : decodeCursor(options.cursor, prefix)
  if (after !== null && !canHold(after)) throw new DriverError('invalid_cursor', 'the cursor is malformed')
  if (!canHold(prefix)) return { entries: [], cursor: null }
  const entries: ListEntry[] = []
  const query = {
    prefix,
    startOffset: after ?? undefined,
    // One more tells whether anything follows; another one is the cursor's own.
    maxResults: String(Math.min(maxPage, options.limit + 2)),
    fields: `nextPageToken,items(${objectFields})`,
  }
  for await (const page of pages(api, query)) {
    entries.push(...page.items.flatMap((item) => entryOf(item, after)))
    if (entries.length > options.limit) break
  }
  return pageOf(entries, options.limit)
}

/** An emulator may answer with more than it was asked for, and in no order. */
function pageOf(entries: ListEntry[], limit: number): ListPage {
  entries.sort((a, b) => compareKeys(a.key, b.key))
  const page = entries.slice(0, limit)
  const last = page.at(-1)
  const isLast = last === undefined || entries.length <= limit
  return { entries: page, cursor: isLast ? null : encodeCursor(last.key) }
}

function entryOf(item: unknown, after: string | null): ListEntry[] {
  const { name } = membersOf(item)
  const key = typeof name === 'string' ? parseKeyOrNull(name) : null
  if (key === null || (after !== null && compareKeys(key, after) <= 0)) return []
  return [{ key, info: infoOf(item) }]
}

/** Every name that begins with `prefix`, whether it can be a key or not. */
export async function listNames(api: Api, prefix: string): Promise<string[]> {
  const names: string[] = []
  for await (const page of pages(api, { prefix, fields: 'nextPageToken,items(name)' })) {
    names.push(...page.items.map((item) => String(membersOf(item).name)))
  }
  return names
}

/** The storage names what stands before the first slash; `0` is the character after it. */
export async function listBuckets(api: Api, { limit, cursor }: ListBucketsOptions): Promise<BucketPage> {
  const after = cursor === null ? null : decodeBucketCursor(cursor)
  const found = new Set<string>()
  const query = {
    delimiter: '/',
    startOffset: after === null ? undefined : `${after}0`,
    maxResults: String(Math.min(maxPage, limit + 1)),
    fields: 'nextPageToken,prefixes',
  }
  for await (const page of pages(api, query)) {
    for (const prefix of page.prefixes) found.add(prefix)
    if (bucketsIn(found).length > limit) break
  }
  return bucketPage(bucketsIn(found), limit)
}

/** In the order of their keys: with the slash. */
function bucketsIn(prefixes: ReadonlySet<string>): string[] {
  return [...prefixes]
    .sort(compareKeys)
    .map((prefix) => prefix.slice(0, -1))
    .filter(isBucketName)
}

interface NamesPage {
  readonly items: readonly unknown[]
  readonly prefixes: readonly string[]
}

async function* pages(api: Api, query: Query): AsyncGenerator<NamesPage> {
  let pageToken: string | undefined
  do {
    const asked = { ...query, pageToken }
    const { value } = await api.retry(() =>
      api.call({ method: 'GET', path: `${api.path()}/o`, query: asked }),
    )
    const { items, prefixes, nextPageToken } = membersOf(value)
    yield {
      items: Array.isArray(items) ? items : [],
      prefixes: Array.isArray(prefixes) ? prefixes.filter((name) => typeof name === 'string') : [],
    }
    pageToken = typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined
  } while (pageToken !== undefined)
}
