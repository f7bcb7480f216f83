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
  statOpenFile,
  syncFile,
  unless,
} from './calls.ts'
import { commit, SameFileError } from './commit.ts'
import { type OpenVersion, openCurrent } from './current-version.ts'
import type { Place } from './layout.ts'
import type { Storage } from './storage.ts'
import { discard, finish, type TempFile } from './temp-file.ts'
import { identityOf, isSameFile, type Version } from './version.ts'

/** Each time round, a writer has replaced the source in between. */
const maxAttempts = 100

/**
 * Copies one version. The source is not locked: what is copied gets a name of our own first and is then compared
 * with the version that was chosen.
 */
export async function copyVersion(
  storage: Storage,
  from: Place,
  to: Place,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  let mayLink = true
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const source = await openCurrent(from)
    if (source === null) throw new DriverError('not_found', 'nothing is stored under that name')
    try {
      if (ifMatch !== undefined) checkCondition({ ifMatch }, source.version.etag)
      const temp = await duplicate(storage, from, source, mayLink)
      if (temp !== null) return await put(storage, to, temp)
    } catch (error) {
      if (!(error instanceof SameFileError)) throw error
      mayLink = false
    } finally {
      await closeFile(source.fd)
    }
  }
  throw new DriverError('busy', 'the file is overwritten faster than it can be copied')
}

async function put(storage: Storage, to: Place, temp: TempFile): Promise<ObjectInfo> {
  try {
    return await storage.locks.hold(to.key, () => commit(storage, to, temp))
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
  source: OpenVersion,
  mayLink: boolean,
): Promise<TempFile | null> {
  const path = storage.temp.next()
  try {
    const version =
      mayLink && source.own && (await tryLink(from.data, path))
        ? await checkLink(storage, path, source.version)
        : await copyBytes(storage, from.data, path, source)
    if (version !== null) return { path, version }
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

/** Whether it worked: some file systems have no hard links, or no more of them for this file. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (noLinks.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** The version of a link to `wanted`, made durable: an instance that does not sync may have written it. */
async function checkLink(storage: Storage, path: string, wanted: Version): Promise<Version | null> {
  return await withOpen(path, async (fd) => {
    if (!isSameFile(identityOf(statOpenFile(fd)), wanted)) return null
    if (storage.sync.enabled) await syncFile(fd)
    return wanted
  })
}

const copyFlags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE

async function copyBytes(
  storage: Storage,
  from: string,
  path: string,
  source: OpenVersion,
): Promise<Version | null> {
  await unless(copyFile(from, path, copyFlags), absent, undefined)
  const isThere = (fd: number): boolean => isSameFile(identityOf(statOpenFile(fd)), source.version)
  // The same file before and after, and unchanged: nothing else can have been copied.
  if (!isThere(source.fd) || (await withOpen(from, async (fd) => isThere(fd))) !== true) return null
  return await withOpen(path, (fd) => finish(storage, fd, source.version.contentType))
}

async function withOpen<T>(path: string, use: (fd: number) => Promise<T>): Promise<T | null> {
  const fd = await unless(openFile(path, readFlags), absent, null)
  if (fd === null) return null
  try {
    return await use(fd)
  } finally {
    await closeFile(fd)
  }
}
