import type { Readable } from 'node:stream'
import { ignoreLateErrors } from '../body.ts'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo, WriteOptions } from '../driver.ts'
import { commit } from './commit.ts'
import { statCurrent } from './current-version.ts'
import { asDriver } from './errors.ts'
import type { Place } from './layout.ts'
import type { Storage } from './storage.ts'
import { discard, receive, type TempFile } from './temp-file.ts'

/** A body that is not known to be smaller than this is worth a look at the condition before it is taken in. */
const smallBytes = 64 * 1024

/** Takes the body in without any lock, then commits it under the key's. */
export async function writeFile(
  storage: Storage,
  place: Place,
  body: Readable,
  options: WriteOptions,
): Promise<ObjectInfo> {
  ignoreLateErrors(body)
  const temp = await take(storage, place, body, options)
  return await asDriver(async () => {
    try {
      return await storage.locks.hold(place.key, () => commit(storage, place, temp, options.condition))
    } catch (error) {
      await discard(temp.path)
      throw error
    }
  })
}

async function take(
  storage: Storage,
  place: Place,
  body: Readable,
  options: WriteOptions,
): Promise<TempFile> {
  try {
    await asDriver(() => checkEarly(place, options))
    return await receive(storage, body, options)
  } catch (error) {
    body.destroy()
    throw error
  }
}

async function checkEarly(place: Place, { condition, size }: WriteOptions): Promise<void> {
  if (condition === undefined || (size ?? Number.POSITIVE_INFINITY) <= smallBytes) return
  checkCondition(condition, (await statCurrent(place))?.etag ?? null)
}
