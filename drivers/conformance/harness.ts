import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Driver, ObjectInfo, WriteOptions } from '../driver.ts'
import { DriverError, type DriverErrorCode } from '../errors.ts'
import type { Key } from '../key.ts'
import { parseKey } from '../parse-key.ts'

/** One test's own, empty storage. */
export interface DriverHarness {
  /** The driver under test. */
  readonly driver: Driver
  /** Another instance over the same storage, as in another process. The suite closes it. */
  second?(): Promise<Driver>
  /**
   * What is in the storage and is not an object that the driver would list: temporary files, parts of uploads that
   * were never finished. Names are for people.
   */
  leftovers(): Promise<string[]>
  /** Closes the driver and removes the storage. */
  close(): Promise<void>
}

export interface ConformanceOptions {
  /**
   * How many bytes the driver may take from a body before it has put any of them away; 2 MiB unless said
   * otherwise. `Infinity` for a driver that keeps objects in memory anyway.
   */
  readAheadBytes?: number
  /** What the driver's `capabilities.atomicDeletes` says; `true` unless said otherwise. */
  atomicDeletes?: boolean
  /** Whether several instances can share one storage (the default); then the harness has `second`. */
  shared?: boolean
  /**
   * Whether the backend makes etags from the content, so that a version with the bytes of the one before it has the
   * same; then versions with other bytes are looked at in its place. Not so unless said otherwise.
   */
  contentEtags?: boolean
  /**
   * By how many milliseconds the time of a version in the answer to a write may be off, where the backend does not
   * tell it there; none unless said otherwise.
   */
  writeTimeSlackMs?: number
  /**
   * Whether the backend has room for a key, where it has not for every one of PROTOCOL 1.7: one that is too long
   * for it, say. A key that it cannot hold must be refused with `invalid_key` and read as nothing.
   */
  canHold?: (key: Key) => boolean
  /** Which requests the driver presigns for clients: nothing unless said otherwise; `uploads` are both kinds. */
  presigns?: Presigns
}

export type Presigns = 'nothing' | 'reads' | 'uploads'

/** What the suite's parts are given. */
export interface Suite {
  readonly contentEtags: boolean
  readonly atomicDeletes: boolean
  readonly readAheadBytes: number
  readonly canHold: (key: Key) => boolean
  readonly presigns: Presigns
  /** Runs a test with storage of its own, and then looks for what was left behind. */
  readonly test: (title: string, run: (harness: DriverHarness) => Promise<void>) => void
  /** {@link test} for a driver whose storage can be shared, with a second instance over it. */
  readonly testShared: (title: string, run: (harness: DriverHarness, other: Driver) => Promise<void>) => void
}

export const bucket = '1ConformanceSuiteAddress'

export function key(path: string): Key {
  return parseKey(`${bucket}/${path}`)
}

export function bodyOf(content: string | Buffer): Readable {
  return Readable.from(content.length === 0 ? [] : [Buffer.from(content)], { objectMode: false })
}

export function put(
  driver: Driver,
  at: Key,
  content: string | Buffer,
  options: Partial<WriteOptions> = {},
): Promise<ObjectInfo> {
  return driver.write(at, bodyOf(content), { contentType: 'text/plain', ...options })
}

/** What a key holds; fails when it holds nothing. */
export async function get(driver: Driver, at: Key): Promise<{ info: ObjectInfo; text: string }> {
  const result = await driver.read(at)
  if (result === null) throw new Error('the key holds nothing')
  return { info: result.info, text: (await buffer(result.body)).toString() }
}

/** The error that a promise rejects with; fails when it resolves, and when the code is another one. */
export async function failure(promise: Promise<unknown>, code: DriverErrorCode): Promise<DriverError> {
  const error = await rejection(promise)
  if (!(error instanceof DriverError)) throw new Error(`expected a DriverError, got ${String(error)}`)
  if (error.code !== code) throw new Error(`expected ${code}, got ${error.code}: ${error.message}`)
  return error
}

/** Whatever a promise rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}
