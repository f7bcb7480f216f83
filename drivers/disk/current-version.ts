import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { absent, closeFile, openFile, readFlags, statOpenFile, statPath, unless } from './calls.ts'
import type { Place } from './layout.ts'
import { isOpenAt, isOwnRealPath } from './location.ts'
import {
  type FileIdentity,
  identityOf,
  isSameFile,
  parseSidecar,
  readSidecar,
  type Version,
} from './sidecar.ts'

/** What stands at a place now. */
export interface CurrentVersion {
  readonly version: Version
  /** Whether we wrote it. What another program writes, it may also change in place. */
  readonly own: boolean
}

/** A file that was looked at, and how to let go of it. */
interface Glimpse {
  readonly file: FileIdentity
  readonly mtimeMs: number
}

/**
 * What a key holds, by name. Answers `null` for nothing, and for links, folders and other things that are no
 * files of ours. Never reads content.
 */
export function statCurrent(place: Place): Promise<CurrentVersion | null> {
  return match(place, () => glimpse(place))
}

async function glimpse(place: Place): Promise<Glimpse | null> {
  const stats = await unless(statPath(place.data), absent, null)
  if (stats === null || !stats.isFile() || !(await isOwnRealPath(place.data))) return null
  return glimpseOf(stats)
}

/** {@link statCurrent} of a file that stays readable whatever happens to its name. The caller closes `fd`. */
export async function openCurrent(place: Place): Promise<(CurrentVersion & { fd: number }) | null> {
  let fd: number | null = null
  try {
    const current = await match(place, async () => {
      if (fd !== null) await closeFile(fd)
      fd = null
      fd = await unless(openFile(place.data, readFlags), absent, null)
      return fd === null ? null : await glimpseOpen(fd, place.data)
    })
    if (current !== null && fd !== null) return { ...current, fd }
  } catch (error) {
    if (fd !== null) await closeFile(fd)
    throw error
  }
  if (fd !== null) await closeFile(fd)
  return null
}

async function glimpseOpen(fd: number, path: string): Promise<Glimpse | null> {
  const stats = await statOpenFile(fd)
  if (!stats.isFile() || !(await isOpenAt(fd, path))) return null
  return glimpseOf(stats)
}

function glimpseOf(stats: BigIntStats): Glimpse {
  return { file: identityOf(stats), mtimeMs: Number(stats.mtimeMs) }
}

/** Each time round, a writer has committed in between. */
const maxAttempts = 1000

/**
 * Finds the entry that describes the file that `look` sees. Where none does, either a writer came between
 * looking at the file and at its sidecar, and looking again shows another file or another sidecar; or the file
 * was not written by us, and nothing changes.
 */
async function match(place: Place, look: () => Promise<Glimpse | null>): Promise<CurrentVersion | null> {
  let former: { seen: Glimpse; text: string | null } | null = null
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const seen = await look()
    if (seen === null) return null
    const text = await readSidecar(place.sidecar)
    const own = ownVersion(seen.file, text)
    if (own !== undefined) return { version: own, own: true }
    if (former !== null && former.text === text && isSameFile(former.seen.file, seen.file)) {
      return { version: foreignVersion(seen, text), own: false }
    }
    former = { seen, text }
  }
  throw new DriverError('busy', 'the file is overwritten faster than it can be read')
}

/** The entry of exactly this file. */
function ownVersion(file: FileIdentity, text: string | null): Version | undefined {
  if (text === null) return undefined
  return parseSidecar(text)?.versions.findLast((version) => isSameFile(version, file))
}

/**
 * The best that can be said of a file without an entry of its own. In this order: it was put back from a backup,
 * which gives it another inode; Gaia wrote it, and its sidecar; somebody else did, and only the file itself
 * tells its versions apart.
 */
function foreignVersion(seen: Glimpse, text: string | null): Version {
  const { file, mtimeMs } = seen
  const sidecar = text === null ? null : parseSidecar(text)
  const restored = sidecar?.versions.findLast((v) => v.size === file.size && v.mtimeNs === file.mtimeNs)
  if (restored !== undefined) return { ...restored, ...file }
  const etag = sidecar?.versions.length === 0 ? sidecar.etag : undefined
  return {
    ...file,
    etag: etag ?? derivedEtag(file),
    contentType: sidecar?.contentType ?? 'application/octet-stream',
    modifiedMs: mtimeMs,
  }
}

function derivedEtag({ ino, size, mtimeNs }: FileIdentity): string {
  return createHash('sha256').update(`${ino} ${size} ${mtimeNs}`).digest('hex').slice(0, 32)
}

export function infoOf({ etag, size, contentType, modifiedMs }: Version): ObjectInfo {
  return { etag, size, contentType, lastModifiedMs: modifiedMs }
}
