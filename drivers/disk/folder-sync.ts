import { dirname } from 'node:path'
import { closeFile, errnoOf, folderFlags, openFile, syncFile } from './calls.ts'

/** What is asked of one folder: the sync that runs, and the one that runs after it for who came meanwhile. */
interface Turn {
  running: Promise<void>
  next: Promise<void> | null
}

/**
 * Makes changes of folders durable (new names, renames and removals are kept in the folder, not in the file).
 * Writers in one folder share the work: who asks while a sync runs, which may have begun before the change,
 * joins the next one, so that a hundred changes at once cost two syncs.
 */
export class FolderSync {
  readonly #root: string
  readonly #enabled: boolean
  readonly #turns = new Map<string, Turn>()

  /** @param enabled without it nothing is synced: for storage whose loss does not matter */
  constructor(root: string, enabled: boolean) {
    this.#root = root
    this.#enabled = enabled
  }

  get enabled(): boolean {
    return this.#enabled
  }

  /** Resolves when every change of the folder made before this call is durable. */
  sync(folder: string): Promise<void> {
    if (!this.#enabled) return Promise.resolve()
    const turn = this.#turns.get(folder)
    if (turn === undefined) return this.#start(folder)
    turn.next ??= turn.running.then(
      () => this.#start(folder),
      () => this.#start(folder),
    )
    return turn.next
  }

  #start(folder: string): Promise<void> {
    const turn: Turn = { running: this.#syncNow(folder), next: null }
    this.#turns.set(folder, turn)
    return turn.running.finally(() => {
      if (turn.next === null) this.#turns.delete(folder)
    })
  }

  async #syncNow(folder: string): Promise<void> {
    let fd: number
    try {
      fd = await openFile(folder, folderFlags)
    } catch (error) {
      // Removed when its last file went: that is a change of its parent.
      if (errnoOf(error) === 'ENOENT' && folder !== this.#root) return await this.sync(dirname(folder))
      throw error
    }
    try {
      await syncFile(fd)
    } finally {
      await closeFile(fd)
    }
  }
}
