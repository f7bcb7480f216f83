import { randomBytes, randomUUID } from 'node:crypto'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { checkCondition } from '../condition.ts'
import { DriverError } from '../errors.ts'
import { dateOfAnswer } from './client.ts'
import { type Committed, commitIf, type NativeCondition, nativeCondition } from './commit.ts'
import { isConflict, isUnmet, notFound } from './errors.ts'
import { tombstoneMetadata, writeIdMetadata } from './metadata.ts'
import { bareEtag, fitsKey, isEtag, type Store, targetOf } from './store.ts'
import { currentVersion } from './version.ts'

/** @throws `not_found` without a condition, `precondition_failed` with one */
export async function deleteObject(store: Store, key: string, ifMatch: string | undefined): Promise<void> {
  if (!fitsKey(key)) {
    if (ifMatch === undefined) throw notFound()
    checkCondition({ ifMatch }, null)
  } else if (ifMatch === undefined) await deleteAny(store, key)
  else if (!isEtag(ifMatch)) await refuse(store, key, ifMatch)
  else if (store.traits.conditionalDeletes) await deleteVersion(store, key, ifMatch)
  else if (store.traits.conditionalWrites) await buryVersion(store, key, ifMatch)
  else await deleteUnsafely(store, key, ifMatch)
}

/** S3 does not say whether there was anything to delete. */
async function deleteAny(store: Store, key: string): Promise<void> {
  if ((await currentVersion(store, key)) === null) throw notFound()
  await store.client.send(new DeleteObjectCommand(targetOf(store, key)))
}

async function deleteVersion(store: Store, key: string, ifMatch: string): Promise<void> {
  try {
    const condition = nativeCondition(store, { ifMatch })
    await store.client.send(new DeleteObjectCommand({ ...targetOf(store, key), ...condition }))
  } catch (error) {
    if (!isUnmet(error) && !isConflict(error)) throw error
    await refuse(store, key, ifMatch)
  }
}

/** @throws always */
async function refuse(store: Store, key: string, ifMatch: string): Promise<void> {
  checkCondition({ ifMatch }, (await currentVersion(store, key))?.etag ?? null)
  throw new DriverError('busy', 'other operations are changing that name; try again')
}

/**
 * Deletes one version where the backend ignores conditions of a delete and holds to those of a write: first the
 * version is replaced by a mark, under the condition, which decides between all who want to change it; then the
 * mark is removed. To every caller of this driver the mark is nothing, and creating waits until it is gone. A write
 * without a condition that arrives between the two requests is deleted too, as one just before them would be.
 */
async function buryVersion(store: Store, key: string, ifMatch: string): Promise<void> {
  const writeId = randomUUID()
  const attempt = (condition: NativeCondition) => putTombstone(store, key, writeId, condition)
  await commitIf(store, { key, condition: { ifMatch }, writeId, attempt })
  await store.client.send(new DeleteObjectCommand(targetOf(store, key)))
}

async function deleteUnsafely(store: Store, key: string, ifMatch: string): Promise<void> {
  checkCondition({ ifMatch }, (await currentVersion(store, key))?.etag ?? null)
  await store.client.send(new DeleteObjectCommand(targetOf(store, key)))
}

/** A size that few objects have: lists have to look closer at those that do. */
export const tombstoneBytes = 211

async function putTombstone(
  store: Store,
  key: string,
  writeId: string,
  condition: NativeCondition,
): Promise<Committed> {
  const answer = await store.client.send(
    new PutObjectCommand({
      ...targetOf(store, key),
      ...condition,
      // Random, so that no two of them have one etag.
      Body: randomBytes(tombstoneBytes),
      ContentType: 'application/octet-stream',
      Metadata: { ...tombstoneMetadata(), ...writeIdMetadata(writeId) },
    }),
  )
  return { etag: bareEtag(answer.ETag), lastModifiedMs: dateOfAnswer(answer) }
}
