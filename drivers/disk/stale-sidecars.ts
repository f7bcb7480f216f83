import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseKeyOrNull } from '../parse-key.ts'
import { absent, closeFile, statPath, unless, unlink } from './calls.ts'
import { lookAt } from './current-version.ts'
import { removeEmptyTree } from './folders.ts'
import { keyText, metadataFolder, type Place, placeOf } from './layout.ts'
import type { Storage } from './storage.ts'

/**
 * Removes sidecars that a crash in the middle of a delete has left, where they stand in the way of another one:
 * a file where its folder has to be, or a folder of them in its own place. Each is removed under the lock of its
 * key and only when that key holds nothing, since a writer puts the sidecar before the file.
 */
export async function clearStaleSidecars(storage: Storage, place: Place): Promise<void> {
  const top = `${storage.root}/${metadataFolder}`
  for (let at = place.sidecarFolder; at.length > top.length; at = dirname(at)) {
    const stats = await unless(statPath(at), absent, null)
    if (stats?.isFile()) await removeStale(storage, at)
  }
  const stats = await unless(statPath(place.sidecar), absent, null)
  if (stats?.isDirectory()) await clearFolder(storage, place.sidecar)
}

async function clearFolder(storage: Storage, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) await clearFolder(storage, path)
    else await removeStale(storage, path)
  }
  await unless(removeEmptyTree(folder), absent, false)
}

async function removeStale(storage: Storage, path: string): Promise<void> {
  const key = parseKeyOrNull(keyText(path.slice(`${storage.root}/${metadataFolder}/`.length)))
  if (key === null) return
  const place = placeOf(storage.root, key)
  if (place.sidecar !== path) return
  await storage.locks.hold(key, async () => {
    const standing = await lookAt(place)
    if (typeof standing === 'string') await unless(unlink(path), absent, undefined)
    else await closeFile(standing.fd)
  })
}
