import {
  absent,
  closeAtOnce,
  closeFile,
  openFile,
  overwriteFlags,
  readAt,
  readFlags,
  statOpenFile,
  truncateFile,
  unless,
  writeAll,
} from './calls.ts'
import { isOpenAt } from './location.ts'
import type { Version } from './version.ts'

/**
 * What is known about a file beside its bytes, as JSON. The members `content-type` and `etag` are Gaia's and say
 * what the current version has. `mandate` is ours: the version that is there and the one that is about to
 * replace it, each tied to the file that it describes. It is written before the file is, so that whichever of
 * the two files is there, also after a crash, finds its own entry.
 */
export interface Sidecar {
  readonly contentType: string | undefined
  readonly etag: string | undefined
  /** Oldest first; empty when Gaia wrote this sidecar. */
  readonly versions: readonly Version[]
}

/** @param versions at least one; the last is the one that will be current */
export function formatSidecar(versions: readonly Version[]): string {
  const current = versions.at(-1)
  return JSON.stringify({
    'content-type': current?.contentType,
    etag: current?.etag,
    mandate: versions.map((version) => ({
      etag: version.etag,
      'content-type': version.contentType,
      ino: version.ino,
      size: version.size,
      mtimeNs: version.mtimeNs,
    })),
  })
}

/** Reads what Gaia or we wrote; what is not as it should be is left out. `null` when it is no JSON object. */
export function parseSidecar(text: string): Sidecar | null {
  const value = parseJson(text)
  if (!isRecord(value)) return null
  const etag = value.etag
  const entries: unknown[] = Array.isArray(value.mandate) ? value.mandate : []
  return {
    contentType: contentTypeIn(value['content-type']),
    etag: isEtag(etag) ? etag : undefined,
    versions: entries.slice(-2).flatMap(parseVersion),
  }
}

function parseVersion(value: unknown): Version[] {
  if (!isRecord(value)) return []
  const { etag, ino, size, mtimeNs } = value
  const contentType = contentTypeIn(value['content-type'])
  if (!isEtag(etag) || contentType === undefined) return []
  if (typeof ino !== 'string' || typeof size !== 'number') return []
  if (typeof mtimeNs !== 'string' || !/^-?\d{1,20}$/.test(mtimeNs)) return []
  return [{ etag, contentType, ino, size, mtimeNs, sealed: false }]
}

/** The contract's form: 1 to 128 printable characters that can stand between quotes and in a list. */
function isEtag(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x2b\x2d-\x7e]{1,128}$/.test(value)
}

function contentTypeIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1024 ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Gaia writes in place: a crash leaves a stump, which tells nothing.
    return undefined
  }
}

const noFile: ReadonlySet<string> = new Set(['ELOOP', 'ENXIO', 'EISDIR', 'EACCES'])

/**
 * Writes a sidecar in place: half the work of replacing it, but a crash may leave a mixture. Only for one that
 * nothing depends on, in a folder that was looked at.
 * @returns false where something else stands there, or the file is shared with another name
 */
export async function writeSidecar(path: string, bytes: Buffer): Promise<boolean> {
  const fd = await unless(openFile(path, overwriteFlags, 0o666), noFile, null)
  if (fd === null) return false
  try {
    const stats = statOpenFile(fd)
    if (!stats.isFile() || stats.nlink !== 1n || !(await isOpenAt(fd, path))) return false
    await writeAll(fd, bytes)
    if (stats.size > bytes.length) await truncateFile(fd, bytes.length)
    return true
  } finally {
    closeAtOnce(fd)
  }
}

/** Three content types of 1,024 characters, each escaped at the longest, are less. A larger file is not ours. */
const maxSidecarBytes = 32 * 1024
const usualSidecarBytes = 2 * 1024

/** The text of a sidecar, `null` where there is none that can be used. */
export async function readSidecar(path: string): Promise<string | null> {
  const fd = await unless(openFile(path, readFlags), absent, null)
  if (fd === null) return null
  try {
    if (!(await isOpenAt(fd, path))) return null
    const start = await readChunk(fd, usualSidecarBytes, 0)
    if (start.length < usualSidecarBytes) return start.toString()
    return await readLongSidecar(fd, start)
  } finally {
    await closeFile(fd)
  }
}

async function readLongSidecar(fd: number, start: Buffer): Promise<string | null> {
  const stats = statOpenFile(fd)
  if (!stats.isFile() || stats.size > maxSidecarBytes) return null
  return Buffer.concat([start, await readChunk(fd, maxSidecarBytes, start.length)]).toString()
}

const nothingToRead: ReadonlySet<string> = new Set(['EISDIR', 'EAGAIN'])

async function readChunk(fd: number, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  const read = await unless(readAt(fd, buffer, 0, length, position), nothingToRead, null)
  return buffer.subarray(0, read?.bytesRead ?? 0)
}
