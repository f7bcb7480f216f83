import { CopyObjectCommand } from '@aws-sdk/client-s3'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { wholeSecond } from './client.ts'
import { isMissing, notFound, statusOf } from './errors.ts'
import { readObject } from './read.ts'
import { bareEtag, fitsKey, isEtag, type Store, targetOf, timeFor } from './store.ts'
import { currentVersion } from './version.ts'
import { writeObject } from './write.ts'

/** The most that S3 copies by itself in one request. */
const maxCopyBytes = 5 * 1024 ** 3

/**
 * Copies within the backend where that holds the copy to one version of the source; else by reading that version and
 * writing it, so that a version which nobody asked for never stands at `to`.
 */
export async function copyObject(
  store: Store,
  from: string,
  to: string,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  if (!fitsKey(to)) throw new DriverError('invalid_key', 'the name is longer than the storage allows')
  const copied =
    store.traits.conditionalCopies && from !== to ? await copyWithin(store, from, to, ifMatch) : null
  return copied ?? (await copyThrough(store, from, to, ifMatch))
}

/**
 * `null` when it has to be done the other way, as for a source that has become another version meanwhile.
 * @throws `not_found`, `precondition_failed`
 */
async function copyWithin(
  store: Store,
  from: string,
  to: string,
  ifMatch: string | undefined,
): Promise<ObjectInfo | null> {
  const source = await currentVersion(store, from)
  if (source === null) throw notFound()
  if (ifMatch !== undefined) checkCondition({ ifMatch }, source.etag)
  return source.size > maxCopyBytes ? null : await copyVersion(store, from, to, source)
}

/** `null` when the source is another version now. */
async function copyVersion(
  store: Store,
  from: string,
  to: string,
  source: ObjectInfo,
): Promise<ObjectInfo | null> {
  const command = new CopyObjectCommand({
    ...targetOf(store, to),
    CopySource: `${store.bucket}/${encodeURIComponent(from).replaceAll('%2F', '/')}`,
    CopySourceIfMatch: `"${source.etag}"`,
    MetadataDirective: 'COPY',
  })
  try {
    const { CopyObjectResult: made } = await store.client.send(command, timeFor(store, source.size))
    const etag = bareEtag(made?.ETag)
    if (!isEtag(etag) || made?.LastModified === undefined) {
      throw new DriverError('backend', 'the storage does not say what it has copied')
    }
    return { ...source, etag, lastModifiedMs: wholeSecond(made.LastModified.getTime()) }
  } catch (error) {
    if (statusOf(error) === 412 || isMissing(error)) return null
    throw error
  }
}

/** One answer has the bytes and all that is known of them, so this is right however fast the source changes. */
async function copyThrough(
  store: Store,
  from: string,
  to: string,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  const found = await readObject(store, from, ifMatch === undefined ? {} : { ifMatch })
  if (found === null) throw notFound()
  const { contentType, size } = found.info
  return await writeObject(store, to, found.body, { contentType, size })
}
