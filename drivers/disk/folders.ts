import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DriverError } from '../errors.ts'
import { errnoOf, makeFolder, realPath, removeFolder, statPath, unless } from './calls.ts'
import type { FolderSync } from './folder-sync.ts'
import { HeldFolders } from './held-folders.ts'
import { isOwnRealPath } from './location.ts'

/** How often a folder may be removed by others, who find it empty, before it is used. */
const maxAttempts = 50

/**
 * The folders that files are in: made when the first file comes, removed when the last one goes. Nobody locks
 * them, so one that was there a moment ago may be gone.
 */
export class Folders {
  readonly #root: string
  readonly #sync: FolderSync
  readonly #held = new HeldFolders()

  constructor(root: string, sync: FolderSync) {
    this.#root = root
    this.#sync = sync
  }

  /**
   * Runs `use`, which needs `folder` and fails with ENOENT without it, and makes the folder where it is missing.
   * @throws `invalid_key` where a file or a link stands in the way
   */
  async with<T>(folder: string, use: () => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      try {
        if (await this.#held.isThere(folder)) return await use()
        await this.#ensure(folder)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
    throw new DriverError('busy', 'the folder is removed again and again')
  }

  close(): void {
    this.#held.close()
  }

  /** Makes a folder and what is missing above it; what is made is durable. @throws ENOENT when others undo it */
  async #ensure(folder: string): Promise<void> {
    const parent = dirname(folder)
    // A folder made below a link would be made somewhere else.
    if (!(await isOwnRealPath(parent))) {
      // Made anew it would hide that the volume is not mounted.
      if (parent.length <= this.#root.length) throw new DriverError('unavailable', 'the root folder is gone')
      await this.#ensure(parent)
    }
    try {
      await makeFolder(folder)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      await refuseObstacle(folder)
    }
    // Also where another writer made it: it may not have synced it yet.
    await this.#sync.sync(parent)
  }
}

async function refuseObstacle(path: string): Promise<void> {
  const stats = await statPath(path)
  if (stats.isSymbolicLink()) throw new DriverError('invalid_key', 'a symbolic link stands in the way')
  if (!stats.isDirectory()) throw new DriverError('invalid_key', 'a file stands where a folder is needed')
  // ENOENT here means that it has gone since, which is no obstacle.
  if ((await realPath(path)) === path) return
  throw new DriverError('invalid_key', 'a folder whose name is spelled differently stands in the way')
}

/**
 * Removes a folder that holds nothing but folders, as a crash leaves them.
 * @returns whether it is gone
 */
export async function removeEmptyTree(folder: string): Promise<boolean> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || !(await removeEmptyTree(`${folder}/${entry.name}`))) return false
  }
  return (await unless(removeFolder(folder), inUse, false)) !== false
}

const inUse: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'ENOTDIR'])

/** Removes a folder and those above it, up to and without `top`, as long as they are empty. */
export async function pruneFolders(folder: string, top: string): Promise<void> {
  for (let at = folder; at.length > top.length; at = dirname(at)) {
    try {
      await removeFolder(at)
    } catch (error) {
      if (inUse.has(errnoOf(error) ?? '')) return
      throw error
    }
  }
}
