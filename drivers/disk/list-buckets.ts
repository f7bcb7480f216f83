import { bucketPage, decodeBucketCursor, isBucketName } from '../buckets.ts'
import type { BucketPage, ListBucketsOptions } from '../driver.ts'
import { scanFolder } from './scan-folder.ts'

/** One page of the folders below the root that are buckets; our own and Gaia's begin with a dot and are none. */
export async function listBuckets(root: string, { limit, cursor }: ListBucketsOptions): Promise<BucketPage> {
  const names: string[] = []
  let after = cursor === null ? '' : `${decodeBucketCursor(cursor)}/`
  for (;;) {
    const found = await scanFolder(root, { prefix: '', after, limit: limit + 1 })
    names.push(...found.filter(({ isFolder }) => isFolder).map(({ order }) => order.slice(0, -1)))
    const last = found.at(-1)
    const buckets = names.filter(isBucketName)
    if (last === undefined || found.length <= limit || buckets.length > limit)
      return bucketPage(buckets, limit)
    after = last.order
  }
}
