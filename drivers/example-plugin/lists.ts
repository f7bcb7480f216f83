import {
  type BucketPage,
  bucketPage,
  decodeBucketCursor,
  decodeCursor,
  encodeCursor,
  isBucketName,
  type ListBucketsOptions,
  type ListEntry,
  type ListOptions,
  type ListPage,
  parseKeyOrNull,
} from '../index.ts'
import type { Database } from './database.ts'
import { decodeInfo, objectName, objectPrefix, textAfter } from './records.ts'

/** The database's order is that of the contract, so a cursor is a key, and the next page begins after it. */
export async function listPage(database: Database, prefix: string, options: ListOptions): Promise<ListPage> {
  const from =
    options.cursor === null
      ? { gte: objectName(prefix) }
      : { gt: objectName(decodeCursor(options.cursor, prefix)) }
  const found: ListEntry[] = []
  for await (const [name, value] of database.iterator({ ...from, limit: options.limit + 1 })) {
    if (!startsWith(name, objectName(prefix))) break
    const key = parseKeyOrNull(textAfter(objectPrefix, name))
    if (key !== null) found.push(options.stat === true ? { key, info: decodeInfo(value) } : { key })
  }
  const entries = found.slice(0, options.limit)
  const last = entries.at(-1)
  return {
    entries,
    cursor: last !== undefined && found.length > entries.length ? encodeCursor(last.key) : null,
  }
}

function startsWith(name: Buffer, prefix: Buffer): boolean {
  return name.subarray(0, prefix.length).equals(prefix)
}

/** Finds each bucket by its first key and leaps over the others. */
export async function listBucketPage(
  database: Database,
  { limit, cursor }: ListBucketsOptions,
): Promise<BucketPage> {
  const names: string[] = []
  const keys = database.keys({ gte: objectPrefix, lt: Buffer.from('p') })
  try {
    if (cursor !== null) keys.seek(objectName(after(decodeBucketCursor(cursor))))
    for (let name = await keys.next(); name !== undefined; name = await keys.next()) {
      const [bucket = ''] = textAfter(objectPrefix, name).split('/')
      if (isBucketName(bucket)) names.push(bucket)
      if (names.length > limit) break
      keys.seek(objectName(after(bucket)))
    }
  } finally {
    await keys.close()
  }
  return bucketPage(names, limit)
}

/** What comes after everything in a bucket: `0` is the character after the slash. */
function after(bucket: string): string {
  return `${bucket}0`
}
