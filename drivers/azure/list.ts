import type { ContainerClient } from '@azure/storage-blob'
import { isBucketName } from '../buckets.ts'
import type { BucketPage, ListBucketsOptions, ListEntry, ListOptions, ListPage } from '../driver.ts'
import { compareKeys } from '../key.ts'
import { parseKeyOrNull } from '../parse-key.ts'
import { beginning, decodePosition, encodePosition, type Position } from './cursor.ts'
import { hasAstral, takeRun } from './runs.ts'
import { type Item, listFolders, listSegment } from './segments.ts'

/** Some items in key order, and the place after them. */
interface Step {
  readonly items: readonly Item[]
  /** `null` after the last ones. */
  readonly next: Position | null
}

/**
 * One page. The service lists in the order of UTF-16 units or in that of code points, which it does not say; they
 * differ only where a character above U+FFFF stands in one name and one from U+E000 on in the same place of another
 * (see runs.ts). So names without the former are taken as they come.
 */
export async function listPage(
  container: ContainerClient,
  prefix: string,
  { limit, cursor, stat = false }: ListOptions,
): Promise<ListPage> {
  let position = cursor === null ? beginning : decodePosition(cursor, prefix)
  for (;;) {
    const { items, next } = await takeStep(container, prefix, position, limit)
    const entries = items.flatMap((item) => entryOf(item, stat))
    if (next === null) return { entries, cursor: null }
    if (entries.length > 0) return { entries, cursor: encodePosition(next, prefix) }
    position = next
  }
}

async function takeStep(
  container: ContainerClient,
  prefix: string,
  position: Position,
  limit: number,
): Promise<Step> {
  const { items, next } = await listSegment(container, prefix, position.marker, limit)
  const astral = items.findIndex(({ name }) => hasAstral(name, prefix.length))
  if (astral === 0) return await takeRun(container, prefix, position, limit)
  // Only the service can say where the first of them begins: it says so after a segment that ends there.
  if (astral > 0) return await takeStep(container, prefix, position, astral)
  const rest = items.filter(({ name }) => position.after === null || compareKeys(name, position.after) > 0)
  const after = rest.length > 0 ? null : position.after
  return { items: rest, next: next === null ? null : { marker: next, after } }
}

/** Names that no caller could have stored are left out. */
function entryOf({ name, info }: Item, stat: boolean): ListEntry[] {
  const key = parseKeyOrNull(name)
  if (key === null) return []
  return [stat ? { key, info } : { key }]
}

/** The listing of buckets has no prefix, so it shares its cursors with no other. */
const buckets = ''

export async function listBucketPage(
  container: ContainerClient,
  { limit, cursor }: ListBucketsOptions,
): Promise<BucketPage> {
  const { marker } = cursor === null ? beginning : decodePosition(cursor, buckets)
  const { folders, next } = await listFolders(container, marker, limit)
  return {
    buckets: folders.map((folder) => folder.slice(0, -1)).filter(isBucketName),
    cursor: next === null ? null : encodePosition({ marker: next, after: null }, buckets),
  }
}
