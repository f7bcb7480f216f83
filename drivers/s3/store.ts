import type { S3Client } from '@aws-sdk/client-s3'
import type { PartMemory } from './part-memory.ts'
import type { Streams } from './stream.ts'

/** What a backend was found to hold to when it was probed. */
export interface Traits {
  /** `If-Match` of a write wants the etag in quotes, as HTTP does; some backends know it only without. */
  readonly quotedIfMatch: boolean
  readonly conditionalWrites: boolean
  readonly conditionalDeletes: boolean
  /** The end of a multipart upload is held to conditions. */
  readonly conditionalUploads: boolean
  /** A copy is held to the version of its source. */
  readonly conditionalCopies: boolean
  /** A request that breaks off in the middle of its body changes nothing. */
  readonly wholeBodies: boolean
}

/** An open bucket. */
export interface Store {
  readonly client: S3Client
  readonly bucket: string
  readonly traits: Traits
  readonly requestTimeoutMs: number
  readonly maxAttempts: number
  readonly tempFolder: string
  readonly memory: PartMemory
  readonly streams: Streams
}

/** S3's own limit, in UTF-8 bytes. */
const maxKeyBytes = 1024

/** Whether S3 has room for a name. */
export function fitsKey(key: string): boolean {
  return Buffer.byteLength(key) <= maxKeyBytes
}

/** The target of a request, as its input has it. */
export function targetOf(store: Pick<Store, 'bucket'>, key: string): { Bucket: string; Key: string } {
  return { Bucket: store.bucket, Key: key }
}

/** The time that a request may take which sends so many bytes. */
export function timeFor(store: Pick<Store, 'requestTimeoutMs'>, bytes: number): { requestTimeout: number } {
  return { requestTimeout: store.requestTimeoutMs + Math.ceil(bytes / 1024) }
}

/** Etags that S3 services make. Nothing else is sent as a condition: `*` and lists mean more than one version. */
export function isEtag(text: string): boolean {
  return /^[\w.+/=:-]{1,128}$/.test(text)
}

/** An etag as it stands in a header of an answer, or in a body, without what is around it. */
export function bareEtag(text: string | undefined): string {
  return (text ?? '').replace(/^W\//, '').replaceAll('"', '')
}
