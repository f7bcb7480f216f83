import { LRUCache } from 'lru-cache'
import { absent, closeAtOnce, openFolder, unless } from './calls.ts'
import { isOwnRealPath, pathOfOpen } from './location.ts'
import { SharedRuns } from './shared-runs.ts'

/** As many folders as a busy hub writes to in turns; each takes a descriptor. */
const maxHeld = 128

/**
 * Tells whether a folder is there, at its own real path, as the rule of location.ts wants it looked at before each use.
 * Those that were in use lately are held open: where the folder behind a descriptor is by now the kernel tells from
 * memory, while a walk along the path would take a thread each time.
 */
export class HeldFolders {
  readonly #held = new LRUCache<string, number>({ max: maxHeld, dispose: closeAtOnce })
  readonly #looks = new SharedRuns((path: string) => this.#look(path))
  #closed = false

  isThere(path: string): Promise<boolean> {
    const fd = this.#held.get(path)
    if (fd === undefined) return this.#looks.ask(path)
    if (pathOfOpen(fd) === path) return Promise.resolve(true)
    // Removed or moved since, and perhaps made anew.
    this.#held.delete(path)
    return this.#looks.ask(path)
  }

  /** Lets go of all of them, and holds none from now on. */
  close(): void {
    this.#closed = true
    this.#held.clear()
  }

  async #look(path: string): Promise<boolean> {
    const fd = await unless(openFolder(path), absent, null)
    if (fd === null) return false
    const actual = pathOfOpen(fd)
    if (actual === path && !this.#closed) {
      this.#held.set(path, fd)
      return true
    }
    closeAtOnce(fd)
    // Where the kernel does not tell, the path has to be walked.
    return actual === null ? await isOwnRealPath(path) : actual === path
  }
}
