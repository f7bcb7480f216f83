import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlobGetPropertiesResponse, BlockBlobClient } from '@azure/storage-blob'
import { ignoreLateErrors } from '../body.ts'
import { BodyParts } from '../body-parts.ts'
import { checkCondition } from '../condition.ts'
import type { Condition, ObjectInfo, WriteOptions } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { asDriver, asDriverError, failureOf } from './errors.ts'
import { infoOf, isEtag, lookAt, matching, statBlob } from './info.ts'
import { type Staged, stageBlocks } from './stage.ts'
import { maxBlocks, type TransferOptions } from './transfer.ts'

/** The name of the metadata that says which write made a version. */
const writeIdName = 'mandatewrite'

/** Stores a body: a small one by one request, a larger one in blocks that one request makes the new version. */
export async function writeBlob(
  blob: BlockBlobClient,
  body: Readable,
  options: WriteOptions,
  transfer: TransferOptions,
): Promise<ObjectInfo> {
  ignoreLateErrors(body)
  try {
    const blockBytes = Math.max(transfer.blockBytes, Math.ceil((options.size ?? 0) / maxBlocks))
    await checkEarly(blob, options, blockBytes)
    const parts = new BodyParts(body, options.size)
    const first = await parts.take(blockBytes)
    if (first.last) return await putWhole(blob, first.bytes, options)
    const staged = await stageBlocks(blob, first, () => parts.take(blockBytes), { ...transfer, body })
    return await commitBlocks(blob, staged, options)
  } catch (error) {
    body.destroy()
    throw error
  }
}

/** A body that is not known to be small is worth a look at the condition before it is taken in. */
async function checkEarly(
  blob: BlockBlobClient,
  { condition, size }: WriteOptions,
  blockBytes: number,
): Promise<void> {
  if (condition === undefined) return
  const isSmall = size !== undefined && size <= blockBytes
  if (isSmall && (!('ifMatch' in condition) || isEtag(condition.ifMatch))) return
  const current = await asDriver(() => statBlob(blob))
  checkCondition(condition, current?.etag ?? null)
}

function putWhole(blob: BlockBlobClient, bytes: Buffer, options: WriteOptions): Promise<ObjectInfo> {
  return commit(blob, bytes.length, options, (settings) => blob.upload(bytes, bytes.length, settings))
}

function commitBlocks(blob: BlockBlobClient, staged: Staged, options: WriteOptions): Promise<ObjectInfo> {
  return commit(blob, staged.size, options, (settings) => blob.commitBlockList(staged.ids, settings))
}

interface CommitSettings {
  readonly conditions: { ifMatch?: string; ifNoneMatch?: string }
  readonly blobHTTPHeaders: { blobContentType: string; blobCacheControl?: string }
  readonly metadata: Record<string, string>
}

interface CommitAnswer {
  readonly etag?: string
  readonly lastModified?: Date
}

async function commit(
  blob: BlockBlobClient,
  size: number,
  { contentType, condition, cacheControl }: WriteOptions,
  send: (settings: CommitSettings) => Promise<CommitAnswer>,
): Promise<ObjectInfo> {
  const writeId = randomBytes(16).toString('hex')
  try {
    const { etag, lastModified } = await send({
      conditions: conditionsOf(condition),
      blobHTTPHeaders: {
        blobContentType: contentType,
        ...(cacheControl === undefined ? {} : { blobCacheControl: cacheControl }),
      },
      metadata: { [writeIdName]: writeId },
    })
    return infoOf({ etag, contentType, lastModified }, size)
  } catch (error) {
    return await explain(blob, error, condition, writeId)
  }
}

function conditionsOf(condition: Condition | undefined): CommitSettings['conditions'] {
  if (condition === undefined) return {}
  return 'ifMatch' in condition ? matching(condition.ifMatch) : { ifNoneMatch: '*' }
}

/**
 * Finds out what a refused commit means. Where an answer got lost and the request was sent again, the refusal may
 * be caused by our own first one: then the version that is there carries our id, and the write has succeeded.
 */
async function explain(
  blob: BlockBlobClient,
  thrown: unknown,
  condition: Condition | undefined,
  writeId: string,
): Promise<ObjectInfo> {
  const error = asDriverError(thrown)
  const lostBlocks = failureOf(thrown).code === 'InvalidBlockList'
  if (error.code !== 'precondition_failed' && !lostBlocks) throw error
  const current = await asDriver(() => lookAt(blob))
  if (current !== null && isWrittenBy(current, writeId)) return infoOf(current, current.contentLength)
  const etag = current === null ? null : infoOf(current, current.contentLength).etag
  checkCondition(condition, etag)
  // Every commit at a name takes away the blocks that others have staged there, and their bytes are gone by now.
  if (lostBlocks) throw new DriverError('busy', 'another writer has replaced the object during the upload')
  throw new DriverError(error.code, 'the condition did not hold', {
    cause: error,
    ...(etag === null ? {} : { etag }),
  })
}

function isWrittenBy({ metadata = {} }: BlobGetPropertiesResponse, writeId: string): boolean {
  // Header names have no case on the wire.
  return Object.entries(metadata).some(([name, id]) => name.toLowerCase() === writeIdName && id === writeId)
}
