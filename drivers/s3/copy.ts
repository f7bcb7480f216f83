import { CopyObjectCommand } from '@aws-sdk/client-s3'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { wholeSecond } from './client.ts'
import { isMissing, notFound, statusOf } from './errors.ts'
import { readObject } from './read.ts'
import { bareEtag, fitsKey, isEtag, type Store, targetOf } from './store.ts'
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
  // What the source holds may change between a look at it and the copy; without a condition any version will do.
  for (let tries = 0; tries < 5; tries++) {
    const source = await currentVersion(store, from)
    if (source === null) throw notFound()
    if (ifMatch !== undefined) checkCondition({ ifMatch }, source.etag)
    const copied = isWithin(store, source, from === to)
      ? await copyWithin(store, from, to, source)
      : await copyThrough(store, from, to, source)
    if (copied !== null) return copied
  }
  throw new DriverError('busy', 'the source changes too fast to be copied; try again')
}

function isWithin(store: Store, source: ObjectInfo, isSame: boolean): boolean {
  return store.traits.conditionalCopies && source.size <= maxCopyBytes && !isSame
}

/** `null` when the source is another version now. */
async function copyWithin(
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
    const { CopyObjectResult: made } = await store.client.send(command, {
      requestTimeout: store.requestTimeoutMs + source.size / 1024,
    })
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

/** `null` when the source is another version now. */
async function copyThrough(
  store: Store,
  from: string,
  to: string,
  source: ObjectInfo,
): Promise<ObjectInfo | null> {
  const found = await readVersion(store, from, source.etag)
  if (found === null) return null
  const { contentType, size } = found.info
  return await writeObject(store, to, found.body, { contentType, size })
}

async function readVersion(store: Store, key: string, etag: string) {
  try {
    return await readObject(store, key, { ifMatch: etag })
  } catch (error) {
    if (error instanceof DriverError && error.code === 'precondition_failed') return null
    throw error
  }
}
