import { checkCondition } from '../condition.ts'
import type { Condition, ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { absent, closeAtOnce, rename, unless, unlink } from './calls.ts'
import { lookAt } from './current-version.ts'
import { asDriverError } from './errors.ts'
import { pruneFolders, removeEmptyTree } from './folders.ts'
import { metadataFolder, type Place } from './layout.ts'
import { formatSidecar, writeSidecar } from './sidecar.ts'
import { clearStaleSidecars } from './stale-sidecars.ts'
import type { Storage } from './storage.ts'
import { createFile, discard, type TempFile } from './temp-file.ts'
import { infoOf, type Version } from './version.ts'

/** The new file is the very file that is there (a link to it): renaming it does nothing, so it is refused. */
export class SameFileError extends Error {}

/**
 * Makes a temp file the version that a place holds. The caller holds the key's lock. The order is what makes
 * a crash harmless: a sidecar that knows both versions is durable before the rename, which is the commit point;
 * and the rename is durable before anybody can write the next sidecar, which forgets the former version. Where
 * both files are sealed the sidecar is there for Gaia and for backups, and need not be durable.
 */
export async function commit(
  storage: Storage,
  place: Place,
  temp: TempFile,
  condition?: Condition,
): Promise<ObjectInfo> {
  const current = await currentOf(place)
  checkCondition(condition, current?.etag ?? null)
  if (current?.ino === temp.version.ino) throw new SameFileError()
  try {
    await storage.folders.with(place.dataFolder, async () => {
      await putSidecar(storage, place, current === null ? [temp.version] : [current, temp.version])
      await rename(temp.path, place.data)
    })
  } catch (error) {
    if (current === null) await removeTraces(storage, place)
    throw error
  }
  await storage.sync.sync(place.dataFolder)
  return infoOf(temp.version)
}

/** What a key that holds nothing has, beside it, after a commit that failed. */
async function removeTraces(storage: Storage, place: Place): Promise<void> {
  await unless(unlink(place.sidecar), notThere, undefined)
  await pruneFolders(place.sidecarFolder, `${storage.root}/${metadataFolder}`)
  await pruneFolders(place.dataFolder, storage.root)
}

const notThere: ReadonlySet<string> = new Set([...absent, 'EISDIR', 'EPERM'])

/** What is there, where a file may be put there. @throws `invalid_key` where it may not */
async function currentOf(place: Place): Promise<Version | null> {
  const standing = await lookAt(place)
  switch (standing) {
    case 'nothing':
      return null
    case 'folder':
      if (await unless(removeEmptyTree(place.data), absent, true)) return null
      throw new DriverError('invalid_key', 'a folder stands under that name')
    case 'stranger':
      throw new DriverError('invalid_key', 'something that is not a file of its own stands under that name')
    default:
      closeAtOnce(standing.fd)
      return standing.version
  }
}

async function putSidecar(storage: Storage, place: Place, versions: readonly Version[]): Promise<void> {
  try {
    await tryPutSidecar(storage, place, versions)
  } catch (error) {
    if (asDriverError(error).code !== 'invalid_key') throw error
    // The data's folder is there and nothing else stands in its place, so what is in the way is left over.
    await clearStaleSidecars(storage, place)
    await tryPutSidecar(storage, place, versions)
  }
}

async function tryPutSidecar(storage: Storage, place: Place, versions: readonly Version[]): Promise<void> {
  const durable = !versions.every((version) => version.sealed)
  const bytes = Buffer.from(formatSidecar(versions))
  const inPlace = (): Promise<boolean> => writeSidecar(place.sidecar, bytes)
  if (!durable && (await storage.folders.with(place.sidecarFolder, inPlace))) return
  const path = await createFile(storage, bytes, durable)
  try {
    await storage.folders.with(place.sidecarFolder, () => rename(path, place.sidecar))
  } catch (error) {
    await discard(path)
    throw error
  }
  if (durable) await storage.sync.sync(place.sidecarFolder)
}
