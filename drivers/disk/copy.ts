import { constants } from 'node:fs'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import {
  absent,
  closeFile,
  copyFile,
  errnoOf,
  link,
  openFile,
  readFlags,
  statPath,
  syncFile,
  unless,
} from './calls.ts'
import { commit, SameFileError } from './commit.ts'
import { type CurrentVersion, openCurrent } from './current-version.ts'
import type { Place } from './layout.ts'
import { identityOf, isSameFile } from './sidecar.ts'
import type { Storage } from './storage.ts'
import { discard, type TempFile } from './temp-file.ts'

/** Each time round, a writer has replaced the source in between. */
const maxAttempts = 100

/**
 * Copies one version. The source is not locked: what is copied is taken by a name of our own first and then
 * compared with the version that was chosen.
 */
export async function copyVersion(
  storage: Storage,
  from: Place,
  to: Place,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  let byLink = true
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const source = await openCurrent(from)
    if (source === null) throw new DriverError('not_found', 'nothing is stored under that name')
    try {
      if (ifMatch !== undefined) checkCondition({ ifMatch }, source.version.etag)
      const temp = await duplicate(storage, from, source, byLink && source.own)
      if (temp !== null) return await put(storage, to, source, temp)
    } catch (error) {
      if (!(error instanceof SameFileError)) throw error
      byLink = false
    } finally {
      await closeFile(source.fd)
    }
  }
  throw new DriverError('busy', 'the file is overwritten faster than it can be copied')
}

async function put(storage: Storage, to: Place, source: CurrentVersion, temp: TempFile): Promise<ObjectInfo> {
  const { contentType } = source.version
  try {
    return await storage.locks.hold(to.key, () =>
      commit(storage, to, { temp, contentType, condition: undefined }),
    )
  } catch (error) {
    await discard(temp.path)
    throw error
  }
}

/**
 * The source's file under a name of our own; `null` when it was replaced meanwhile. Our own versions are never
 * changed in place, so a second link to one is a copy. What another program wrote it may also change.
 */
async function duplicate(
  storage: Storage,
  from: Place,
  source: CurrentVersion & { fd: number },
  byLink: boolean,
): Promise<TempFile | null> {
  const path = storage.temp.next()
  const linked = byLink && (await tryLink(from.data, path))
  if (!linked)
    await unless(
      copyFile(from.data, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE),
      absent,
      null,
    )
  try {
    const seen = await unless(statPath(linked ? path : from.data), absent, null)
    const copied = linked ? seen : await unless(statPath(path), absent, null)
    if (seen !== null && copied !== null && isSameFile(identityOf(seen), source.version)) {
      await syncPath(storage, path)
      return { path, file: identityOf(copied) }
    }
  } catch (error) {
    await discard(path)
    throw error
  }
  await discard(path)
  return null
}

const noLinks: ReadonlySet<string> = new Set([
  'EPERM',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EXDEV',
  'ENOENT',
])

/** Whether it worked: some file systems have no hard links, or no more for this file. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (noLinks.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** The version may have been written without: by another program, or by an instance that does not sync. */
async function syncPath(storage: Storage, path: string): Promise<void> {
  if (!storage.sync.enabled) return
  const fd = await openFile(path, readFlags)
  try {
    await syncFile(fd)
  } finally {
    await closeFile(fd)
  }
}
