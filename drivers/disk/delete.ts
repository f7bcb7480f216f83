import { checkCondition } from '../condition.ts'
import { DriverError } from '../errors.ts'
import { absent, unless, unlink } from './calls.ts'
import { statCurrent } from './current-version.ts'
import { pruneFolders } from './folders.ts'
import { metadataFolder, type Place } from './layout.ts'
import type { Storage } from './storage.ts'

/**
 * Removes what a place holds. The caller holds the key's lock. The file goes first, and for good, so that a
 * crash cannot leave it without its sidecar; a sidecar without a file is never looked at.
 */
export async function deleteFile(storage: Storage, place: Place, ifMatch: string | undefined): Promise<void> {
  const current = await statCurrent(place)
  if (ifMatch !== undefined) checkCondition({ ifMatch }, current?.etag ?? null)
  if (current === null) throw new DriverError('not_found', 'nothing is stored under that name')
  await unlink(place.data)
  await storage.sync.sync(place.dataFolder)
  await unless(unlink(place.sidecar), absent, undefined)
  await pruneFolders(place.dataFolder, storage.root)
  await pruneFolders(place.sidecarFolder, `${storage.root}/${metadataFolder}`)
}
