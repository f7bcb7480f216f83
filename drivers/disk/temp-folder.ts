import { randomBytes } from 'node:crypto'
import { closeSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { lockFile, tryLockFile } from './key-locks.ts'

const lockName = 'lock'

/**
 * This instance's folder for files that are not committed yet. A lock in it, held for as long as the instance
 * lives, tells the next one to start which folders are left over from a process that died.
 */
export class TempFolder {
  readonly #path: string
  readonly #fd: number
  #made = 0

  /**
   * Makes a folder of our own in `<work>/tmp` and removes those of the dead.
   * @param work the folder for working files; made where it is missing
   */
  static async open(work: string): Promise<TempFolder> {
    const all = `${work}/tmp`
    await mkdir(all, { recursive: true })
    // One at a time, so that nobody takes a folder for dead that is made but not locked yet.
    const starting = await lockFile(`${work}/starting`)
    try {
      await sweep(all)
      return await create(all)
    } finally {
      closeSync(starting)
    }
  }

  constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
  }

  /** A path that nothing has. */
  next(): string {
    return `${this.#path}/${this.#made++}`
  }

  async close(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true })
    closeSync(this.#fd)
  }
}

async function create(all: string): Promise<TempFolder> {
  const path = `${all}/${randomBytes(8).toString('hex')}`
  await mkdir(path)
  const fd = await lockFile(`${path}/${lockName}`)
  return new TempFolder(path, fd)
}

async function sweep(all: string): Promise<void> {
  for (const entry of await readdir(all, { withFileTypes: true })) {
    const path = `${all}/${entry.name}`
    if (entry.isDirectory() && isAlive(path)) continue
    await rm(path, { recursive: true, force: true })
  }
}

function isAlive(folder: string): boolean {
  const fd = tryLockFile(`${folder}/${lockName}`)
  if (fd === null) return true
  closeSync(fd)
  return false
}
