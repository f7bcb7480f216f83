import type { BigIntStats } from 'node:fs'
import { DriverError } from '../errors.ts'
import { closeFile, errnoOf, openFile, readFlags, statOpenFile } from './calls.ts'
import type { Place } from './layout.ts'
import { isOpenAt } from './location.ts'
import { unseal } from './seal.ts'
import { parseSidecar, readSidecar } from './sidecar.ts'
import { deriveEtag, type FileIdentity, identityOf, isSameFile, type Version } from './version.ts'

/** A file that is open for reading; it stays readable whatever happens to its name. Who gets it closes `fd`. */
export interface OpenVersion {
  readonly fd: number
  readonly version: Version
  /** Whether we wrote it. What another program writes, it may also change in place. */
  readonly own: boolean
}

/** What stands under a name: a version, nothing at all, or something that is no file of ours. */
export type Standing = OpenVersion | 'nothing' | 'folder' | 'stranger'

/** What a key holds by name; `null` also for folders, links, fifos and whatever else is no file of ours. */
export async function statCurrent(place: Place): Promise<Version | null> {
  const found = await openCurrent(place)
  if (found === null) return null
  await closeFile(found.fd)
  return found.version
}

export async function openCurrent(place: Place): Promise<OpenVersion | null> {
  const found = await lookAt(place)
  return typeof found === 'string' ? null : found
}

/** Each time round, a writer has committed in between. */
const maxAttempts = 1000

/**
 * Opens what stands at a place and finds out which version it is. A file that is not sealed is described by the
 * sidecar, which is another file: where no entry is that of the open file, either a writer came between the two,
 * and looking again shows another file or another sidecar; or we did not write it, and nothing changes.
 */
export async function lookAt(place: Place): Promise<Standing> {
  let former: { file: FileIdentity; text: string | null } | null = null
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const opened = await open(place.data)
    if (typeof opened === 'string') return opened
    const { fd, file } = opened
    const found = await identify(place, fd, file, former)
    if (found.version !== null) return { fd, version: found.version, own: found.own }
    await closeFile(fd)
    former = { file, text: found.text }
  }
  throw new DriverError('busy', 'the file is overwritten faster than it can be read')
}

interface Found {
  readonly version: Version | null
  readonly own: boolean
  readonly text: string | null
}

/** @param former what the look before this one showed */
async function identify(
  place: Place,
  fd: number,
  file: FileIdentity,
  former: { file: FileIdentity; text: string | null } | null,
): Promise<Found> {
  const sealed = unseal(fd, file)
  if (sealed !== null) return { version: sealed, own: true, text: null }
  try {
    const text = await readSidecar(place.sidecar)
    const own = ownVersion(file, text)
    if (own !== undefined) return { version: own, own: true, text }
    const settled = former !== null && former.text === text && isSameFile(former.file, file)
    return { version: settled ? foreignVersion(file, text) : null, own: false, text }
  } catch (error) {
    await closeFile(fd)
    throw error
  }
}

async function open(
  path: string,
): Promise<{ fd: number; file: FileIdentity } | Exclude<Standing, OpenVersion>> {
  let fd: number
  try {
    fd = await openFile(path, readFlags)
  } catch (error) {
    return standingOf(error)
  }
  const stats = statOpenFile(fd)
  if (stats.isFile() && (await isOpenAt(fd, path))) return { fd, file: identityOf(stats) }
  await closeFile(fd)
  return otherStanding(stats)
}

function otherStanding(stats: BigIntStats): 'folder' | 'stranger' {
  return stats.isDirectory() ? 'folder' : 'stranger'
}

function standingOf(error: unknown): 'nothing' | 'stranger' {
  const errno: string = errnoOf(error) ?? ''
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'EILSEQ':
      return 'nothing'
    case 'ELOOP': // A symbolic link.
    case 'ENXIO': // A socket, or a device that is not there.
      return 'stranger'
    default:
      throw error
  }
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
function foreignVersion(file: FileIdentity, text: string | null): Version {
  const sidecar = text === null ? null : parseSidecar(text)
  const restored = sidecar?.versions.findLast((v) => v.size === file.size && v.mtimeNs === file.mtimeNs)
  if (restored !== undefined) return { ...restored, ...file }
  const etag = sidecar?.versions.length === 0 ? sidecar.etag : undefined
  return {
    ...file,
    etag: etag ?? deriveEtag(file),
    contentType: sidecar?.contentType ?? 'application/octet-stream',
    sealed: false,
  }
}
