import type { Readable } from 'node:stream'
import type { Key } from './key.ts'

/** What a driver knows of one stored version of an object. */
export interface ObjectInfo {
  /**
   * Opaque name of this version, without quotes, 1 to 128 printable ASCII characters without `"` and `,`.
   * Every version of a key has another one than the version before it; but where the backend names versions by
   * their content (S3), a version with the bytes of the one before it may have the same.
   */
  etag: string
  /** Bytes. */
  size: number
  /** The Content-Type that it was written with, verbatim. */
  contentType: string
  /**
   * When this version was written, in milliseconds since 1970; HTTP shows whole seconds of it. In the answer to a
   * write it may be up to two seconds off, where the backend does not tell it there (S3).
   */
  lastModifiedMs: number
}

/**
 * What must hold at the instant of commit, else `precondition_failed`:
 * - `ifMatch`: the key holds exactly the version with this etag;
 * - `ifNoneMatch: '*'`: the key holds nothing.
 * The check and the commit are one atomic step, also against other processes and hosts.
 */
export type Condition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' }

export interface WriteOptions {
  /** At most 1,024 characters, never empty; kept verbatim. */
  contentType: string
  /** Without one the write creates or overwrites. */
  condition?: Condition
  /** Bytes that the body will have, where the caller knows it. A body of another length is the caller's error. */
  size?: number
  /** Cache-Control to keep with the object, for stores that serve it by themselves. */
  cacheControl?: string
}

/** Byte range to read. `last` is inclusive and may lie beyond the end; `suffix` is the last N bytes, N ≥ 1. */
export type ReadRange = { readonly first: number; readonly last?: number } | { readonly suffix: number }

export interface ReadOptions {
  range?: ReadRange
  /** Read this version or fail with `precondition_failed`. */
  ifMatch?: string
}

export interface ReadResult {
  /** Of the whole object, whatever the range. */
  info: ObjectInfo
  /** The bytes actually in `body`, both inclusive; `null` for a whole object. */
  range: { first: number; last: number } | null
  /**
   * The bytes of that one version, never a mixture with another. The caller consumes or destroys it. When the
   * backend fails half way it is destroyed with a {@link DriverError}; it never ends short.
   */
  body: Readable
}

export interface ListOptions {
  /** 1 to 4,096. A page may be shorter though more follows; it is never empty when `cursor` is not null. */
  limit: number
  /** `null` for the first page, else the `cursor` of the page before, with the same prefix. */
  cursor: string | null
  /** Whether entries carry their `info`. */
  stat?: boolean
}

export interface ListEntry {
  key: Key
  /** With `stat: true` always, else where the backend gives it for nothing. */
  info?: ObjectInfo
}

export interface ListPage {
  /** In ascending UTF-8 byte order of their keys ({@link compareKeys}). */
  entries: ListEntry[]
  /** `null` on the last page. Opaque printable ASCII, at most 4,096 characters; lasts across restarts and instances. */
  cursor: string | null
}

export interface ListBucketsOptions {
  /** 1 to 4,096. */
  limit: number
  /** `null` for the first page, else the `cursor` of the page before. */
  cursor: string | null
}

export interface BucketPage {
  /**
   * `<address>` and `<address>-auth`, without a slash, in the order of their keys: `-` comes before the slash that
   * ends a bucket's name, so an address comes after the records about it.
   */
  buckets: string[]
  /** `null` on the last page; of the same form as a {@link ListPage}'s. */
  cursor: string | null
}

/** What a driver promises beyond the contract; the conformance suite holds it to this. */
export interface DriverCapabilities {
  /** Conditions hold against other instances over the same storage, not only within this one. */
  atomicConditions: boolean
  /**
   * A delete under a condition is one step too, against everybody. Where it is not, a write without a condition that
   * another instance makes during such a delete may be lost, though it was answered; one under a condition never is.
   */
  atomicDeletes: boolean
  /** It has {@link Driver.presign}: it can hand out URLs that let a client read, and perhaps write, directly. */
  presign: boolean
  /** It reads byte ranges without reading what lies before them. */
  range: boolean
}

/** The longest that anything presigned may last, in seconds. */
export const maxPresignSeconds = 300

export interface PresignReadOptions {
  /** 1 to {@link maxPresignSeconds}. */
  expiresInSeconds: number
  /** `Content-Type` of the answer, in place of the object's own. */
  contentType?: string
  /** `Content-Disposition` of the answer. */
  contentDisposition?: string
  /** `Cache-Control` of the answer, in place of the object's own, where the backend can: Cloud Storage cannot. */
  cacheControl?: string
}

export interface PresignUploadOptions
  extends Pick<WriteOptions, 'contentType' | 'condition' | 'cacheControl'> {
  /** 1 to {@link maxPresignSeconds}: a request that begins within this time goes on to its end. */
  expiresInSeconds: number
  /** Bytes that the body will have, exactly. At most {@link PresignedUploads.maxBytes}. */
  size: number
}

/**
 * One request to the storage itself. The backend carries it out as it stands here or not at all: it refuses another
 * key, size, content type or condition, one that leaves a header out, and one that comes too late.
 */
export interface PresignedUpload {
  readonly method: 'PUT'
  readonly url: string
  /** To be sent as they are; a browser sets `Content-Length` by itself. */
  readonly headers: Readonly<Record<string, string>>
  /** Until when the request may begin, in milliseconds since 1970. */
  readonly expiresMs: number
  /** The header of the backend's answer that is the etag of the new version, but for quotes; `null` where none is. */
  readonly etagHeader?: string | null
}

export interface PresignedUploads {
  /** The largest body that the backend takes so. */
  readonly maxBytes: number
  /**
   * A failed condition is answered 412 by the backend then; nothing is looked at now.
   * @throws `invalid_key`; `precondition_failed` for an `ifMatch` that can be no etag here
   */
  presign(key: Key, options: PresignUploadOptions): Promise<PresignedUpload>
}

/** What a client can be handed to talk to the storage itself. Whoever has it can use it until it expires. */
export interface Presigner {
  /**
   * A URL that gives a GET (with ranges and conditions of the backend's own) what the key holds when it is used, in
   * whatever version that is then. Nothing is looked at now.
   * @throws `invalid_key`
   */
  readUrl(key: Key, options: PresignReadOptions): Promise<string>
  /** `null` where the backend cannot hold an upload to all of {@link PresignUploadOptions}, or was not asked to. */
  readonly uploads: PresignedUploads | null
}

/**
 * Storage of named objects. Everything about HTTP, tokens and owners is the caller's business.
 *
 * Callers guarantee: keys are made by key.ts; options are within the ranges given here; every body that they
 * get is consumed or destroyed; nothing is called after `close`.
 *
 * Drivers guarantee: any number of calls may run at once; every rejection is a {@link DriverError} (a body that
 * fails rejects `write` with the body's own error); memory does not grow with the size of an object; a change
 * is visible to every later call of every instance as soon as its promise resolves, and is durable then.
 */
export interface Driver {
  /** For people: `disk`, `s3`, … */
  readonly name: string
  readonly capabilities: DriverCapabilities
  /** Exactly where `capabilities.presign` says so. */
  readonly presign?: Presigner

  /** `null` when the key holds nothing. */
  stat(key: Key): Promise<ObjectInfo | null>

  /**
   * `null` when the key holds nothing. Resolves when the version is chosen and its bytes can be read to the end
   * even while it is overwritten or deleted.
   * @throws `range_not_satisfiable`, `precondition_failed`
   */
  read(key: Key, options?: ReadOptions): Promise<ReadResult | null>

  /**
   * Stores the whole body as the new version, or changes nothing. The commit happens after the body has ended
   * cleanly, at one instant; a body that errors or is destroyed leaves the former version, and nothing else,
   * behind. A condition may also be checked early, to spare the client the upload. The driver consumes or
   * destroys `body` in every case.
   * @throws `precondition_failed`, `invalid_key`, or the error of the body
   */
  write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo>

  /** @throws `not_found` when nothing was there (without a condition), `precondition_failed` (with one) */
  delete(key: Key, options?: { condition?: { readonly ifMatch: string } }): Promise<void>

  /**
   * Makes `to` hold a copy of what `from` holds, content type included. Never touches `from`. `to` is overwritten.
   * @param options.ifMatch copy this version of `from` or fail with `precondition_failed`
   * @throws `not_found` when `from` holds nothing
   */
  copy(from: Key, to: Key, options?: { ifMatch?: string }): Promise<ObjectInfo>

  /**
   * One page of the keys that begin with `prefix` (a plain string prefix), in key order. Keys that exist during
   * the whole walk appear exactly once; others at most once.
   * @param prefix begins with a whole bucket name and its slash: `<address>/…` or `<address>-auth/…`
   * @throws `invalid_cursor`
   */
  list(prefix: string, options: ListOptions): Promise<ListPage>

  /**
   * One page of the names of buckets that hold anything, for whoever looks after the whole storage. It may name
   * one whose last object has just gone. A page may be empty though more follow.
   * @throws `invalid_cursor`
   */
  listBuckets(options: ListBucketsOptions): Promise<BucketPage>

  /** Resolves when the storage answers and can be used, else rejects with the reason. Cheap enough for a probe. */
  check(): Promise<void>

  /** Frees sockets, files and locks. Calls under way may fail. */
  close(): Promise<void>
}
