import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { ListEntry, ListOptions, ListPage } from '../driver.ts'
import type { Key } from '../key.ts'
import { parseKeyOrNull } from '../parse-key.ts'
import { statCurrent } from './current-version.ts'
import { pathOnDisk, placeOf } from './layout.ts'
import { type ByteText, fromBytes, type Scan, scanFolder, toBytes } from './scan-folder.ts'
import { infoOf } from './version.ts'

/** One page, walked in key order: folders that lie wholly before the cursor or outside the prefix are not read. */
export async function listPage(root: string, prefix: string, options: ListOptions): Promise<ListPage> {
  let after = options.cursor === null ? null : decodeCursor(options.cursor, prefix)
  for (;;) {
    const keys = await walk(root, prefix, after, options.limit + 1)
    const page = keys.slice(0, options.limit)
    const last = page.at(-1)
    const entries = options.stat === true ? await withInfo(root, page) : page.map((key) => ({ key }))
    if (last === undefined || keys.length === page.length) return { entries, cursor: null }
    // A page whose files have all vanished since says nothing: the next one may.
    if (entries.length > 0) return { entries, cursor: encodeCursor(last) }
    after = last
  }
}

/** How many files are looked at at once: as many as there are threads to do it. */
const statConcurrency = 4

/** Entries that have vanished meanwhile are left out. */
async function withInfo(root: string, keys: readonly Key[]): Promise<ListEntry[]> {
  const entries = keys.map((): ListEntry | null => null)
  const queue = keys.entries()
  const work = async (): Promise<void> => {
    for (const [index, key] of queue) {
      const current = await statCurrent(placeOf(root, key))
      if (current !== null) entries[index] = { key, info: infoOf(current) }
    }
  }
  await Promise.all(Array.from({ length: statConcurrency }, work))
  return entries.filter((entry) => entry !== null)
}

/** A walk under way. */
interface Walk {
  readonly root: string
  readonly limit: number
  readonly found: Key[]
}

/** The first `limit` keys that begin with `prefix` and come after a key. */
async function walk(root: string, prefix: string, after: Key | null, limit: number): Promise<Key[]> {
  const cut = prefix.lastIndexOf('/') + 1
  const found: Key[] = []
  // What a cursor is after begins with the prefix, so with the folder too.
  const position = after === null ? '' : toBytes(after.slice(cut))
  await walkFolder({ root, limit, found }, prefix.slice(0, cut), toBytes(prefix.slice(cut)), position)
  return found
}

/** The fewest names to look for at once: a folder full of empty folders is not read anew for each of them. */
const minScan = 256

/** @param folder the beginning of a key, up to and with a slash */
async function walkFolder(walk: Walk, folder: string, prefix: ByteText, after: ByteText): Promise<void> {
  const path = `${walk.root}/${pathOnDisk(folder.slice(0, -1))}`
  let scan: Scan = { prefix, after, limit: Math.max(minScan, walk.limit - walk.found.length) }
  for (;;) {
    const batch = await scanFolder(path, scan)
    for (const { order, isFolder } of batch) {
      const key = folder + fromBytes(order)
      if (isFolder) await walkFolder(walk, key, '', after.startsWith(order) ? after.slice(order.length) : '')
      else addKey(walk, key)
      if (walk.found.length >= walk.limit) return
    }
    const last = batch.at(-1)
    if (last === undefined || batch.length < scan.limit) return
    scan = { ...scan, after: last.order }
  }
}

/** Names that no caller could have stored (too long together, reserved) are left out. */
function addKey(walk: Walk, text: string): void {
  const key = parseKeyOrNull(text)
  if (key !== null) walk.found.push(key)
}
