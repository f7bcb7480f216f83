import { readlinkSync } from 'node:fs'
import { absent, realPath, unless } from './calls.ts'

/**
 * The rule against links: a path is used only where it is its own real path below the real root. No component
 * may be a symbolic link, wherever that leads, nor, on file systems that fold case or normalize names, a name
 * that is spelled differently on disk. This is looked at before each use: a folder that was good a moment ago may
 * have been replaced by a link.
 */

/** Whether the kernel tells the path of an open file. Then there is no instant between the check and the use. */
let procFiles: boolean | undefined

/**
 * The real path of an open file or folder as it is now, with ` (deleted)` behind it where it is gone; `null` where the
 * kernel does not tell. Answered from memory, in two microseconds: a thread would cost more.
 */
export function pathOfOpen(fd: number): string | null {
  procFiles ??= hasProcFiles()
  return procFiles ? readlinkSync(`/proc/self/fd/${fd}`) : null
}

/** Whether an open file is the one that stands at `path` itself. It may have been removed or replaced since. */
export async function isOpenAt(fd: number, path: string): Promise<boolean> {
  const actual = pathOfOpen(fd)
  if (actual === null) return await isOwnRealPath(path)
  return actual === path || actual === `${path} (deleted)`
}

/** Whether `path` exists and is its own real path. */
export async function isOwnRealPath(path: string): Promise<boolean> {
  return (await unless(realPath(path), absent, null)) === path
}

function hasProcFiles(): boolean {
  try {
    return process.platform === 'linux' && readlinkSync('/proc/self/exe') !== ''
  } catch {
    return false
  }
}
