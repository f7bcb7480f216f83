import type { BucketPage } from './driver.ts'
import { DriverError } from './errors.ts'

const bucketName = /^[a-zA-Z0-9]{1,128}(-auth)?$/

/** Whether a name found in storage is one of a bucket: an address, or the records about one. */
export function isBucketName(name: string): boolean {
  return bucketName.test(name)
}

/** Bucket cursors of the drivers that walk in order by themselves: the last name of a page. */
export function bucketPage(sorted: readonly string[], limit: number): BucketPage {
  const buckets = sorted.slice(0, limit)
  return { buckets, cursor: sorted.length > limit ? (buckets.at(-1) ?? null) : null }
}

/** @throws `invalid_cursor` */
export function decodeBucketCursor(cursor: string): string {
  if (!isBucketName(cursor)) throw new DriverError('invalid_cursor', 'the cursor is malformed')
  return cursor
}
