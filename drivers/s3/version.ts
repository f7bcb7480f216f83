import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { dateOfAnswer, wholeSecond } from './client.ts'
import { typeFrom } from './content-type.ts'
import { codeOf, isMissing, statusOf } from './errors.ts'
import { isTombstone, writeIdOf } from './metadata.ts'
import { bareEtag, fitsKey, isEtag, type Store, targetOf } from './store.ts'

/** What a bucket holds under a key, a mark of a deletion under way included. */
export interface Version {
  readonly info: ObjectInfo
  readonly isTombstone: boolean
  /** Of the write that made it, where that had a condition. */
  readonly writeId: string | undefined
  /** How long ago it was written, by the server's clock. */
  readonly ageMs: number
}

/** What the answers to HEAD and GET say of the object. */
export interface Described {
  ETag?: string | undefined
  ContentLength?: number | undefined
  ContentType?: string | undefined
  LastModified?: Date | undefined
  Metadata?: Record<string, string> | undefined
}

/** @param size of the whole object */
export function versionOf(answer: Described, size: number | undefined): Version {
  const etag = bareEtag(answer.ETag)
  const modified = answer.LastModified?.getTime()
  if (!isEtag(etag) || size === undefined || modified === undefined || Number.isNaN(modified)) {
    throw new DriverError('backend', 'the storage does not say etag, size and time of an object')
  }
  return {
    info: {
      etag,
      size,
      contentType: typeFrom(answer.ContentType, answer.Metadata),
      lastModifiedMs: wholeSecond(modified),
    },
    isTombstone: isTombstone(answer.Metadata),
    writeId: writeIdOf(answer.Metadata),
    ageMs: dateOfAnswer(answer) - modified,
  }
}

/** `null` when the bucket holds nothing there. @throws what the SDK throws */
export async function headVersion(store: Store, key: string): Promise<Version | null> {
  if (!fitsKey(key)) return null
  for (;;) {
    try {
      const head = await store.client.send(new HeadObjectCommand(targetOf(store, key)))
      return versionOf(head, head.ContentLength)
    } catch (error) {
      if (statusOf(error) !== 404) throw error
      if (await isAbsent(store, key)) return null
    }
  }
}

/** The version that a caller may know of. */
export async function currentVersion(store: Store, key: string): Promise<ObjectInfo | null> {
  const version = await headVersion(store, key)
  return version === null || version.isTombstone ? null : version.info
}

/** A refused HEAD has no body that could tell a missing object from a missing bucket; a refused GET has. */
async function isAbsent(store: Store, key: string): Promise<boolean> {
  try {
    const { Body } = await store.client.send(
      new GetObjectCommand({ ...targetOf(store, key), Range: 'bytes=0-0' }),
    )
    await Body?.transformToByteArray()
    return false
  } catch (error) {
    if (isMissing(error)) return true
    if (codeOf(error) === 'InvalidRange') return false
    throw error
  }
}
