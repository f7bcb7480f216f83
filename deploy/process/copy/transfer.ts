import { createHash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Condition, Driver, ObjectInfo } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import type { Key } from '../../../drivers/key.ts'

/**
 * How it is made sure that the destination has what the source has.
 * - `read`: everything is read back, and its SHA-256 compared.
 * - `etag`: but for what the destination's etag tells already, being the MD5 of the content (S3, mostly).
 */
export type Verification = 'read' | 'etag'

export interface Transfer {
  source: Driver
  target: Driver
  verify: Verification
  /** Cache-Control to keep with the files, as the hub over the destination does. */
  cacheControl?: string
  /** Bytes of a key that have come from the source so far. */
  onBytes?: (key: Key, bytes: number) => void
}

/** One side has changed since it was looked at: look again. */
export class ChangedMeanwhile extends Error {
  constructor() {
    super('it is being changed')
    this.name = 'ChangedMeanwhile'
  }
}

/**
 * Copies one version, whole, with its type, and makes sure that it arrived. What arrived as something else is taken
 * away again.
 * @param version of the source; no other one is copied
 * @param condition what must hold at the destination
 * @returns what the destination now holds
 * @throws {ChangedMeanwhile} where the source or the destination has another version by now; {DriverError}
 */
export async function transfer(
  { source, target, verify, cacheControl, onBytes }: Transfer,
  key: Key,
  version: ObjectInfo,
  condition: Condition,
): Promise<ObjectInfo> {
  const { body, info } = await readVersion(source, key, version)
  const meter = new Meter((bytes) => onBytes?.(key, bytes))
  const flow = pipeline(body, meter)
  // Whatever happens to the flow happens to the body that is written, and is told there.
  flow.catch(() => undefined)
  const written = await asChanged(
    target.write(key, meter, {
      contentType: info.contentType,
      size: info.size,
      condition,
      ...(cacheControl === undefined ? {} : { cacheControl }),
    }),
  )
  await flow
  const digests = meter.digests()
  if (verify === 'etag' && written.etag === digests.md5) return await statVersion(target, key, written)
  return await readBack(target, key, written, { ...digests, contentType: info.contentType })
}

/**
 * Whether both sides hold the same bytes.
 * @throws {ChangedMeanwhile}, {DriverError}
 */
export async function isSameContent(
  { source, target, verify }: Transfer,
  key: Key,
  version: ObjectInfo,
  there: ObjectInfo,
): Promise<boolean> {
  const wanted = await digestsOf(await readVersion(source, key, version))
  if (verify === 'etag' && there.etag === wanted.md5) return true
  return (await digestsOf(await readVersion(target, key, there))).sha256 === wanted.sha256
}

interface Digests {
  sha256: string
  md5: string
}

async function readBack(
  target: Driver,
  key: Key,
  written: ObjectInfo,
  wanted: Digests & { contentType: string },
): Promise<ObjectInfo> {
  const found = await readVersion(target, key, written)
  const { sha256 } = await digestsOf(found)
  if (sha256 === wanted.sha256 && found.info.contentType === wanted.contentType) return found.info
  await removeVersion(target, key, written.etag)
  const what = sha256 === wanted.sha256 ? 'another content type' : 'other bytes'
  throw new DriverError(
    'backend',
    `the destination gave back ${what} than were written; it was removed again`,
  )
}

async function removeVersion(target: Driver, key: Key, etag: string): Promise<void> {
  try {
    await target.delete(key, { condition: { ifMatch: etag } })
  } catch (error) {
    const isGone = error instanceof DriverError && ['not_found', 'precondition_failed'].includes(error.code)
    if (!isGone) throw error
  }
}

async function statVersion(target: Driver, key: Key, { etag }: ObjectInfo): Promise<ObjectInfo> {
  const info = await target.stat(key)
  if (info?.etag !== etag) throw new ChangedMeanwhile()
  return info
}

/** The bytes of exactly one version. */
async function readVersion(
  driver: Driver,
  key: Key,
  { etag }: ObjectInfo,
): Promise<{ body: Readable; info: ObjectInfo }> {
  const found = await asChanged(driver.read(key, { ifMatch: etag }))
  if (found === null) throw new ChangedMeanwhile()
  return found
}

async function asChanged<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    if (error instanceof DriverError && error.code === 'precondition_failed') throw new ChangedMeanwhile()
    throw error
  }
}

async function digestsOf({ body }: { body: Readable }): Promise<Digests> {
  const meter = new Meter()
  meter.resume()
  await pipeline(body, meter)
  return meter.digests()
}

/** Passes bytes on and takes their digests. */
class Meter extends Transform {
  readonly #sha256 = createHash('sha256')
  readonly #md5 = createHash('md5')
  readonly #onBytes: (bytes: number) => void
  #bytes = 0

  constructor(onBytes: (bytes: number) => void = () => undefined) {
    super()
    this.#onBytes = onBytes
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.#sha256.update(chunk)
    this.#md5.update(chunk)
    this.#bytes += chunk.length
    this.#onBytes(this.#bytes)
    done(null, chunk)
  }

  /** Once, after the end. */
  digests(): Digests {
    return { sha256: this.#sha256.digest('hex'), md5: this.#md5.digest('hex') }
  }
}
