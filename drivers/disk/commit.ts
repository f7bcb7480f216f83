import { randomBytes } from 'node:crypto'
import { checkCondition } from '../condition.ts'
import type { Condition, ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { absent, rename, statPath, unless, unlink } from './calls.ts'
import { type CurrentVersion, infoOf, statCurrent } from './current-version.ts'
import type { Place } from './layout.ts'
import { formatSidecar, type Version } from './sidecar.ts'
import type { Storage } from './storage.ts'
import { createFile, discard, type TempFile } from './temp-file.ts'

export interface Commit {
  readonly temp: TempFile
  readonly contentType: string
  readonly condition: Condition | undefined
}

/** The new file is the very file that is there (a link to it): then a rename does nothing, so it is refused. */
export class SameFileError extends Error {}

/**
 * Makes a temp file the version that a place holds. The caller holds the key's lock. The order is what makes
 * a crash harmless: the sidecar that knows both versions is durable before the rename, which is the commit
 * point; and the rename is durable before anybody can write the next sidecar, which forgets the former version.
 */
export async function commit(storage: Storage, place: Place, wanted: Commit): Promise<ObjectInfo> {
  const current = await currentOf(place)
  checkCondition(wanted.condition, current?.version.etag ?? null)
  if (current?.version.ino === wanted.temp.file.ino) throw new SameFileError()
  const version: Version = {
    ...wanted.temp.file,
    etag: randomBytes(16).toString('hex'),
    contentType: wanted.contentType,
    modifiedMs: storage.now(),
  }
  await replace(storage, place, wanted.temp.path, current === null ? [version] : [current.version, version])
  return infoOf(version)
}

/** What is there, where a file may be put there. @throws `invalid_key` where it may not */
async function currentOf(place: Place): Promise<CurrentVersion | null> {
  const current = await statCurrent(place)
  if (current === null) refuseObstacle(await unless(statPath(place.data), absent, null))
  return current
}

function refuseObstacle(stats: Awaited<ReturnType<typeof statPath>> | null): void {
  if (stats === null) return
  if (stats.isDirectory()) throw new DriverError('invalid_key', 'a folder stands under that name')
  throw new DriverError('invalid_key', 'something that is not a file of its own stands under that name')
}

async function replace(
  storage: Storage,
  place: Place,
  path: string,
  versions: readonly Version[],
): Promise<void> {
  const { folders, sync } = storage
  await folders.with(place.dataFolder, async () => {
    await putSidecar(storage, place, versions)
    try {
      await rename(path, place.data)
    } catch (error) {
      if (versions.length === 1) await unless(unlink(place.sidecar), absent, undefined)
      throw error
    }
  })
  await sync.sync(place.dataFolder)
}

async function putSidecar(storage: Storage, place: Place, versions: readonly Version[]): Promise<void> {
  const path = await createFile(storage, Buffer.from(formatSidecar(versions)))
  try {
    await storage.folders.with(place.sidecarFolder, () => rename(path, place.sidecar))
  } catch (error) {
    await discard(path)
    throw error
  }
  await storage.sync.sync(place.sidecarFolder)
}
