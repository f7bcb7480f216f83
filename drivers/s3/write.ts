import type { Readable } from 'node:stream'
import { ignoreLateErrors } from '../body.ts'
import { BodyParts } from '../body-parts.ts'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo, WriteOptions } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { asDriverError } from './errors.ts'
import { uploadParts } from './multipart.ts'
import { type HeldPart, partBytes } from './part-memory.ts'
import { makeTarget, putObject, type Target } from './put.ts'
import { putSpooled } from './spool.ts'
import { fitsKey, type Store } from './store.ts'
import { putWhileItComes } from './stream.ts'
import { currentVersion } from './version.ts'

/**
 * A body of at most {@link partBytes} is one request. A larger one of a known size is too, and goes while it comes,
 * where it can; else in parts. Under a condition that the backend does not hold uploads in parts to, it is taken in
 * first and sent as one.
 */
export async function writeObject(
  store: Store,
  key: string,
  body: Readable,
  options: WriteOptions,
): Promise<ObjectInfo> {
  ignoreLateErrors(body)
  const parts = new BodyParts(body, options.size)
  try {
    if (!fitsKey(key)) throw new DriverError('invalid_key', 'the name is longer than the storage allows')
    return await writeParts(store, makeTarget(key, options), parts)
  } catch (error) {
    body.destroy()
    throw parts.isFailure(error) ? error : asDriverError(error)
  }
}

async function writeParts(store: Store, target: Target, parts: BodyParts): Promise<ObjectInfo> {
  const { size } = target.options
  const isLarge = size === undefined ? !(await parts.takeAhead(partBytes + 1)) : size > partBytes
  if (isLarge) return await writeLarge(store, target, parts)
  const { bytes, last } = await parts.take(partBytes)
  if (!last) throw new DriverError('backend', 'the body has more bytes than were announced')
  return await putObject(store, target, { size: bytes.length, body: () => bytes, isStream: false })
}

async function writeLarge(store: Store, target: Target, parts: BodyParts): Promise<ObjectInfo> {
  await checkEarly(store, target)
  const streamed = await putWhileItComes(store, target, parts)
  if (streamed !== null) return streamed
  const first = await store.memory.hold(partBytes, (bytes, into) => parts.take(bytes, into))
  return await writeByParts(store, target, first, parts)
}

async function writeByParts(
  store: Store,
  target: Target,
  first: HeldPart,
  parts: BodyParts,
): Promise<ObjectInfo> {
  const isHeld = target.options.condition === undefined || store.traits.conditionalUploads
  return isHeld
    ? await uploadParts(store, target, first, parts)
    : await putSpooled(store, target, first, parts)
}

/** Spares the client the upload of what cannot be committed. */
async function checkEarly(store: Store, { key, options: { condition } }: Target): Promise<void> {
  if (condition === undefined) return
  checkCondition(condition, (await currentVersion(store, key))?.etag ?? null)
}
