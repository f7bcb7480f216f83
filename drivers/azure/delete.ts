import type { BlobClient } from '@azure/storage-blob'
import { checkCondition } from '../condition.ts'
import { DriverError } from '../errors.ts'
import { asDriver, unless } from './errors.ts'
import { isEtag, matching, statBlob } from './info.ts'

/** Deletes a blob, together with snapshots that somebody has made of it: the service refuses to part them. */
export async function deleteBlob(
  blob: BlobClient,
  condition: { readonly ifMatch: string } | undefined,
): Promise<void> {
  if (condition === undefined) {
    await asDriver(() => blob.delete({ deleteSnapshots: 'include' }))
  } else if (!(await tryDelete(blob, condition.ifMatch))) {
    const current = await asDriver(() => statBlob(blob))
    checkCondition(condition, current?.etag ?? null)
    throw new DriverError('precondition_failed', 'the condition did not hold')
  }
}

/** @returns false when another version is there, or none */
async function tryDelete(blob: BlobClient, etag: string): Promise<boolean> {
  if (!isEtag(etag)) return false
  const conditions = matching(etag)
  const deleted = await unless('precondition_failed', () =>
    unless('not_found', () => blob.delete({ conditions, deleteSnapshots: 'include' })),
  )
  return deleted !== null
}
