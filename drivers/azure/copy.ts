import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobBeginCopyFromURLResponse, BlockBlobClient } from '@azure/storage-blob'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { asDriver, asDriverError, failureOf } from './errors.ts'
import { infoOf, matching, statBlob } from './info.ts'
import { readBlob } from './read.ts'
import type { TransferOptions } from './transfer.ts'
import { writeBlob } from './write.ts'

/** Each time round, a writer has replaced the source in between. */
const maxAttempts = 20

/** How often a copy that the service makes in the background is asked after, and for how long. */
const pollIntervalMs = 500
const maxCopyMs = 10 * 60_000

/**
 * Copies one version, by the service itself where it can. Within an account that is a matter of names and done when
 * the answer comes, whatever the size; the source's etag is checked by the service.
 */
export async function copyBlob(
  from: BlockBlobClient,
  to: BlockBlobClient,
  ifMatch: string | undefined,
  transfer: TransferOptions,
): Promise<ObjectInfo> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const source = await asDriver(() => statBlob(from))
    if (source === null) throw new DriverError('not_found', 'nothing is stored under that name')
    if (ifMatch !== undefined) checkCondition({ ifMatch }, source.etag)
    const copied = await tryCopy(from, to, source, transfer)
    if (copied !== null) return copied
  }
  throw new DriverError('busy', 'the object is overwritten faster than it can be copied')
}

/** @returns null where the source is another version by now, or gone */
async function tryCopy(
  from: BlockBlobClient,
  to: BlockBlobClient,
  source: ObjectInfo,
  transfer: TransferOptions,
): Promise<ObjectInfo | null> {
  try {
    const { etag, lastModified } = await copyAtService(from, to, source.etag)
    return infoOf({ etag, lastModified, contentType: source.contentType }, source.size)
  } catch (error) {
    if (failureOf(error).code === 'CannotVerifyCopySource')
      return await copyThrough(from, to, source, transfer)
    const { code } = asDriverError(error)
    if (code === 'not_found' || code === 'precondition_failed') return null
    throw asDriverError(error)
  }
}

async function copyAtService(
  from: BlockBlobClient,
  to: BlockBlobClient,
  etag: string,
): Promise<BlobBeginCopyFromURLResponse> {
  const copying = await to.beginCopyFromURL(from.url, { sourceConditions: matching(etag) })
  if (!copying.isDone()) await finishCopy(copying, to)
  const result = copying.getResult()
  if (result === undefined) throw new DriverError('backend', 'the storage service did not finish a copy')
  return result
}

type Copying = Awaited<ReturnType<BlockBlobClient['beginCopyFromURL']>>

/** A copy that breaks off leaves an empty object, which is no version of anything. */
async function finishCopy(copying: Copying, to: BlockBlobClient): Promise<void> {
  const deadline = performance.now() + maxCopyMs
  try {
    while (!copying.isDone()) {
      if (performance.now() > deadline) throw new DriverError('unavailable', 'a copy took too long')
      await sleep(pollIntervalMs)
      await copying.poll()
    }
  } catch (error) {
    await Promise.allSettled([copying.cancelOperation()])
    await Promise.allSettled([to.delete()])
    throw error
  }
}

/** For an account that may not read itself by its own address (behind a proxy that signs, say). */
async function copyThrough(
  from: BlockBlobClient,
  to: BlockBlobClient,
  { etag, contentType, size }: ObjectInfo,
  transfer: TransferOptions,
): Promise<ObjectInfo | null> {
  const source = await readBlob(from, { ifMatch: etag }, transfer.stallMs)
  return source === null ? null : await writeBlob(to, source.body, { contentType, size }, transfer)
}
