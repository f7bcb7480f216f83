import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { decodeBucketCursor, isBucketName } from '../buckets.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { BucketPage, ListBucketsOptions, ListEntry, ListOptions, ListPage } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { compareKeys, type Key } from '../key.ts'
import { parseKeyOrNull } from '../parse-key.ts'
import { tombstoneBytes } from './delete.ts'
import { fitsKey, type Store } from './store.ts'
import { currentVersion } from './version.ts'

/** The most that S3 lists in one answer. */
const maxNames = 1000

/** S3 lists by UTF-8 bytes; a page goes on after the last name of the one before. */
export async function listPage(store: Store, prefix: string, options: ListOptions): Promise<ListPage> {
  let after: string | null = options.cursor === null ? null : decodeCursor(options.cursor, prefix)
  // Nothing can begin with what is longer than any name.
  if (!fitsKey(prefix)) return { entries: [], cursor: null }
  const entries: ListEntry[] = []
  for (;;) {
    const wanted = Math.min(maxNames, options.limit - entries.length)
    const { found, next } = await listNames(store, { prefix, after, limit: wanted })
    entries.push(...(await entriesOf(store, found, options.stat === true)))
    const last = entries.at(-1)
    if (next === null) return { entries, cursor: null }
    if (last !== undefined && entries.length >= options.limit)
      return { entries, cursor: encodeCursor(last.key) }
    after = next
  }
}

interface Names {
  found: Array<{ name: string; size: number | undefined }>
  /** The name to go on after; `null` where nothing follows. */
  next: string | null
}

async function listNames(
  store: Store,
  { prefix, after, limit }: { prefix: string; after: string | null; limit: number },
): Promise<Names> {
  const answer = await list(store, { prefix, after, limit })
  const found = (answer.Contents ?? []).map(({ Key, Size }) => ({
    name: decodeName(answer, Key),
    size: Size,
  }))
  return { found, next: nextOf(answer, found.at(-1)?.name) }
}

/** How many objects are looked at at once for what a list does not say of them. */
const statConcurrency = 16

/** Names that no caller could have stored are left out, and so is what is gone by now. */
async function entriesOf(store: Store, found: Names['found'], stat: boolean): Promise<ListEntry[]> {
  const entries = found.map((): ListEntry | null => null)
  const queue = found.entries()
  const work = async (): Promise<void> => {
    for (const [index, { name, size }] of queue) {
      const key = parseKeyOrNull(name)
      if (key !== null) entries[index] = await entryOf(store, key, stat, size === tombstoneBytes)
    }
  }
  await Promise.all(Array.from({ length: statConcurrency }, work))
  return entries.filter((entry) => entry !== null)
}

async function entryOf(store: Store, key: Key, stat: boolean, doubtful: boolean): Promise<ListEntry | null> {
  if (!stat && !doubtful) return { key }
  const info = await currentVersion(store, key)
  return info === null ? null : { key, info }
}

/** Names of buckets, folded by the backend. They come in the order of their keys, slash included. */
export async function listBuckets(store: Store, { limit, cursor }: ListBucketsOptions): Promise<BucketPage> {
  let after = cursor === null ? null : afterBucket(decodeBucketCursor(cursor))
  const buckets: string[] = []
  for (;;) {
    const wanted = Math.min(maxNames, limit - buckets.length)
    const answer = await list(store, { prefix: '', after, limit: wanted, delimiter: '/' })
    const folders = (answer.CommonPrefixes ?? []).map(({ Prefix }) => decodeName(answer, Prefix).slice(0, -1))
    buckets.push(...folders.filter(isBucketName))
    // Objects of other programs may lie beside the buckets.
    const strays = (answer.Contents ?? []).map(({ Key }) => decodeName(answer, Key))
    const next = nextOf(answer, [...folders.map(afterBucket), ...strays].sort(compareKeys).at(-1))
    if (next === null) return { buckets, cursor: null }
    const last = buckets.at(-1)
    if (last !== undefined && buckets.length >= limit) return { buckets, cursor: last }
    after = next
  }
}

/** `0` is the character after the slash: no key of that bucket is behind it, and every later bucket's is. */
function afterBucket(name: string): string {
  return `${name}0`
}

interface ListInput {
  prefix: string
  after: string | null
  limit: number
  delimiter?: string
}

async function list(
  store: Store,
  { prefix, after, limit, delimiter }: ListInput,
): Promise<ListObjectsV2CommandOutput> {
  return await store.client.send(
    new ListObjectsV2Command({
      Bucket: store.bucket,
      Prefix: prefix,
      MaxKeys: limit,
      // XML cannot hold every character that a name may have.
      EncodingType: 'url',
      ...(after === null ? {} : { StartAfter: after }),
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
    }),
  )
}

function nextOf(answer: ListObjectsV2CommandOutput, last: string | undefined): string | null {
  if (answer.IsTruncated !== true) return null
  if (last === undefined)
    throw new DriverError('backend', 'the storage lists nothing and says that more follows')
  return last
}

/** Some services leave names as they are, some write a space as a plus. */
function decodeName(answer: ListObjectsV2CommandOutput, name: string | undefined): string {
  if (name === undefined) throw new DriverError('backend', 'the storage lists an object without a name')
  if (answer.EncodingType !== 'url') return name
  try {
    return decodeURIComponent(name.replaceAll('+', ' '))
  } catch (error) {
    throw new DriverError('backend', 'the storage lists a name that cannot be decoded', { cause: error })
  }
}
