import * as fs from 'node:fs'
import { promisify } from 'node:util'

/**
 * The file system calls of this driver, on plain descriptors: at thousands of small files a second the objects
 * that `node:fs/promises` wraps around each cost more than the calls. Who opens one closes it.
 */
export const openFile = promisify(fs.open)
export const closeFile = promisify(fs.close)
export const readAt = promisify(fs.read)
export const syncFile = promisify(fs.fsync)
export const truncateFile = promisify(fs.ftruncate)
export const rename = promisify(fs.rename)
export const unlink = promisify(fs.unlink)
export const link = promisify(fs.link)
export const copyFile = promisify(fs.copyFile)
export const makeFolder = promisify(fs.mkdir)
export const removeFolder = promisify(fs.rmdir)
export const realPath = promisify(fs.realpath.native)

const lstat = promisify(fs.lstat)
const write = promisify(fs.write)

/**
 * With nanoseconds, which are part of a version's identity. Answered from memory by the kernel within
 * microseconds, so a thread would cost more than it would spare.
 */
export const statOpenFile = (fd: number): fs.BigIntStats => fs.fstatSync(fd, { bigint: true })
export const statPath = (path: string): Promise<fs.BigIntStats> => lstat(path, { bigint: true })

/**
 * Closes a folder, or a file that has nothing to free, since nobody can have taken its name away meanwhile. A local file
 * system writes nothing back when a file is closed: no reason to use a thread.
 */
export const closeAtOnce = (fd: number): void => fs.closeSync(fd)

/** Opens a folder, to be closed by {@link closeAtOnce}. Never follows a link in the last place. */
export const openFolder = (path: string): Promise<number> => openFile(path, folderFlags)

/** Opens a folder that was in use a moment ago, so that the kernel has it at hand. Never follows a link. */
export const openFolderAtOnce = (path: string): number => fs.openSync(path, folderFlags)

/** Writes all of it at the current position. */
export async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await write(fd, bytes, done, bytes.byteLength - done)).bytesWritten
  }
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

/** A new file, never one that is there already or a link to one. */
export const createFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
/** A file that may be there already, to write over what it holds. */
export const overwriteFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK
/** Never follows a link in the last place; never waits for the other end of a fifo. */
export const readFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW

/** The `code` of a system error (`ENOENT`, …), `undefined` of anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Answers `otherwise` where `promise` rejects with one of the system errors `codes`. */
export async function unless<T, U>(
  promise: Promise<T>,
  codes: ReadonlySet<string>,
  otherwise: U,
): Promise<T | U> {
  try {
    return await promise
  } catch (error) {
    if (codes.has(errnoOf(error) ?? '')) return otherwise
    throw error
  }
}

/**
 * What a look-up answers where nothing of ours can be: no such file, a file where a folder is needed, a link
 * or a socket in the place of the file, a name longer than this file system holds.
 */
export const absent: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENXIO',
  'ENAMETOOLONG',
  'EILSEQ',
])
export const missing: ReadonlySet<string> = new Set(['ENOENT'])
