import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { checkCondition } from '../condition.ts'
import { DriverError } from '../errors.ts'
import { dateOfAnswer, sendOnce } from './client.ts'
import { type Committed, commitIf, type NativeCondition, nativeCondition } from './commit.ts'
import { asDriverError, isConflict, isUnmet, notFound, statusOf } from './errors.ts'
import { tombstoneMetadata, writeIdMetadata } from './metadata.ts'
import { bareEtag, fitsKey, isEtag, type Store, targetOf } from './store.ts'
import { currentVersion, headVersion } from './version.ts'

/** @throws `not_found` without a condition, `precondition_failed` with one */
export async function deleteObject(store: Store, key: string, ifMatch: string | undefined): Promise<void> {
  if (!fitsKey(key)) {
    if (ifMatch === undefined) throw notFound()
    checkCondition({ ifMatch }, null)
  } else if (ifMatch === undefined) await (needsMarks(store) ? buryAny : deleteAny)(store, key)
  else if (!isEtag(ifMatch)) await refuse(store, key, ifMatch)
  else if (store.traits.conditionalDeletes) await deleteVersion(store, key, ifMatch)
  else if (needsMarks(store)) await buryVersion(store, key, ifMatch)
  else await deleteUnsafely(store, key, ifMatch)
}

/** Whether the backend ignores conditions of a delete and holds to those of a write. */
function needsMarks({ traits }: Store): boolean {
  return traits.conditionalWrites && !traits.conditionalDeletes
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

/** How long a delete may go on, from its beginning to the beginning of its last request. */
const deleterMs = 30_000

/**
 * Deletes one version where the backend {@link needsMarks}: first the version is replaced by a mark, under the
 * condition, which decides between all who want to change it; then the mark is removed. To every caller of this driver
 * the mark is nothing, and creating waits until it is gone. A write without a condition that arrives between the two
 * requests is deleted too: hence `atomicDeletes: false`.
 */
async function buryVersion(store: Store, key: string, ifMatch: string): Promise<void> {
  const endMs = performance.now() + deleterMs
  const writeId = randomUUID()
  const attempt = (condition: NativeCondition) => putTombstone(store, key, writeId, condition)
  await commitIf(store, { key, condition: { ifMatch }, writeId, attempt })
  await removeMark(store, key, writeId, endMs)
}

/**
 * Deletes what is there in the same way, whatever it is: a plain delete could remove the mark of somebody else, who
 * would then remove what was created in its place.
 */
async function buryAny(store: Store, key: string): Promise<void> {
  const endMs = performance.now() + deleterMs
  while (performance.now() < endMs) {
    const current = await currentVersion(store, key)
    if (current === null) throw notFound()
    try {
      return await buryVersion(store, key, current.etag)
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
    }
  }
  throw new DriverError('busy', 'other operations are changing that name; try again')
}

/**
 * The version is gone already, so a mark that stays is no failure: {@link commitIf} takes it over when its deleter
 * cannot be at work any more. Where nobody knows whether a request is still under way it has to stay, since a second
 * one could remove what was created after the first.
 */
async function removeMark(store: Store, key: string, writeId: string, endMs: number): Promise<void> {
  while (performance.now() < endMs) {
    const outcome = await deleteOnce(store, key)
    if (outcome !== 'refused') return
    await sleep(Math.random() * 200)
    if ((await headVersion(store, key))?.writeId !== writeId) return
  }
}

/** `refused` when the storage said that it cannot now, `unknown` when it said nothing. @throws where it never will */
async function deleteOnce(store: Store, key: string): Promise<'done' | 'refused' | 'unknown'> {
  const requestTimeout = Math.min(store.requestTimeoutMs, deleterMs)
  try {
    await sendOnce(store.client, new DeleteObjectCommand(targetOf(store, key)), { requestTimeout })
    return 'done'
  } catch (error) {
    if (asDriverError(error).code !== 'unavailable') throw error
    return statusOf(error) === undefined ? 'unknown' : 'refused'
  }
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
