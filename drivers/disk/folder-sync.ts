import { dirname } from 'node:path'
import { closeAtOnce, errnoOf, openFolderAtOnce, syncFile } from './calls.ts'
import { SharedRuns } from './shared-runs.ts'

/**
 * Makes changes of folders durable (new names, renames and removals are kept in the folder, not in the file).
 * Writers in one folder share the work.
 */
export class FolderSync {
  /** Without it nothing is synced: for storage whose loss does not matter. */
  readonly enabled: boolean
  readonly #root: string
  readonly #runs = new SharedRuns((folder: string) => this.#syncNow(folder))

  constructor(root: string, enabled: boolean) {
    this.#root = root
    this.enabled = enabled
  }

  /** Resolves when every change of the folder made before this call is durable. */
  sync(folder: string): Promise<void> {
    return this.enabled ? this.#runs.ask(folder) : Promise.resolve()
  }

  async #syncNow(folder: string): Promise<void> {
    let fd: number
    try {
      fd = openFolderAtOnce(folder)
    } catch (error) {
      // Removed when its last file went: that is a change of its parent.
      if (errnoOf(error) === 'ENOENT' && folder !== this.#root) return await this.sync(dirname(folder))
      throw error
    }
    try {
      await syncFile(fd)
    } finally {
      closeAtOnce(fd)
    }
  }
}
