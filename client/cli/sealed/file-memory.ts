import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SealMemory } from '../../seal/files/memory.ts'
import { CliError } from '../cli-error.ts'
import { withLock } from '../files/lock.ts'
import { writePrivateFile } from '../files/private-file.ts'

/** From this size on, a file that is mostly out of date is written anew. */
const compactFromBytes = 1024 * 1024

/**
 * What was seen of sealed files, and the keys that were pinned, in a file of one line for each: `["name","value"]`.
 * Lines are added under a lock, and what other runs add is seen at the next look; the newer of two versions stands,
 * whoever wrote last.
 */
export class FileMemory implements SealMemory {
  readonly #file: string
  #known = new Map<string, string>()
  /** Up to where the file was read, and which file that was. */
  #read = { inode: 0, bytes: 0 }
  #turn: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#file = join(folder, 'seen-sealed.jsonl')
  }

  get(name: string): Promise<string | null> {
    return this.#inTurn(async () => {
      await this.#look()
      return this.#known.get(name) ?? null
    })
  }

  /** The names that begin so. */
  names(prefix: string): Promise<string[]> {
    return this.#inTurn(async () => {
      await this.#look()
      return [...this.#known.keys()].filter((name) => name.startsWith(prefix))
    })
  }

  set(name: string, value: string): Promise<void> {
    const lock = join(dirname(this.#file), '.seen-sealed.lock')
    return this.#inTurn(() =>
      withLock(lock, async () => {
        const sizeBytes = await this.#look()
        if (newer(this.#known.get(name), value) !== value) return
        this.#known.set(name, value)
        await this.#append(JSON.stringify([name, value]), sizeBytes, name.startsWith('pin:'))
        if (this.#read.bytes > compactFromBytes) await this.#compact()
      }),
    )
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Reads what was added since the last look. @returns bytes of the file */
  async #look(): Promise<number> {
    const handle = await open(this.#file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (handle === null) {
      this.#begin(0)
      return 0
    }
    try {
      const { ino, size } = await handle.stat()
      if (ino !== this.#read.inode || size < this.#read.bytes) this.#begin(ino)
      await this.#readFrom(handle, size)
      return size
    } finally {
      await handle.close()
    }
  }

  #begin(inode: number): void {
    this.#known = new Map()
    this.#read = { inode, bytes: 0 }
  }

  async #readFrom(handle: FileHandle, size: number): Promise<void> {
    const added = Buffer.alloc(size - this.#read.bytes)
    if (added.length === 0) return
    const { bytesRead } = await handle.read(added, 0, added.length, this.#read.bytes)
    // What does not end in a line feed is being written, or was cut by a crash.
    const end = added.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
    for (const line of added.toString('utf8', 0, end).split('\n')) if (line !== '') this.#take(line)
    this.#read.bytes += end
  }

  #take(line: string): void {
    const [name, value] = this.#parse(line)
    this.#known.set(name, newer(this.#known.get(name), value))
  }

  /** A line that says nothing is an error: to go on without it could take an old file for a new one. */
  #parse(line: string): [name: string, value: string] {
    try {
      const entry: unknown = JSON.parse(line)
      if (Array.isArray(entry) && entry.length === 2 && entry.every((one) => typeof one === 'string'))
        return [String(entry[0]), String(entry[1])]
    } catch {
      // Told below, like any other text that is no entry.
    }
    throw new CliError(
      'failed',
      `what was seen of sealed files, in ${this.#file}, is damaged; mend or remove it`,
    )
  }

  async #append(line: string, sizeBytes: number, isToLast: boolean): Promise<void> {
    const handle = await open(this.#file, 'a', 0o600)
    try {
      if (sizeBytes > this.#read.bytes) await handle.truncate(this.#read.bytes)
      const text = Buffer.from(`${line}\n`)
      await handle.writeFile(text)
      // A pin that is lost with the power is asked for again; a version is seen again.
      if (isToLast) await handle.datasync()
      this.#read = { inode: (await handle.stat()).ino, bytes: this.#read.bytes + text.length }
    } finally {
      await handle.close()
    }
  }

  async #compact(): Promise<void> {
    const text = [...this.#known].map((entry) => `${JSON.stringify(entry)}\n`).join('')
    if (Buffer.byteLength(text) * 2 > this.#read.bytes) return
    await writePrivateFile(this.#file, text, 'replace')
    this.#begin(0)
  }
}

/** The value of the higher version; of the same one, a pin may be confirmed anew, and nothing else changes. */
function newer(known: string | undefined, value: string): string {
  if (known === undefined) return value
  const [before, after] = [versionOf(known), versionOf(value)]
  if (after !== before) return after > before ? value : known
  return value.startsWith('{') ? value : known
}

/** `<version> <signature>` of what was seen; `{"version": …}` of a pin. */
function versionOf(value: string): number {
  if (!value.startsWith('{')) return Number(value.split(' ')[0])
  return Number((JSON.parse(value) as { version?: unknown }).version)
}
