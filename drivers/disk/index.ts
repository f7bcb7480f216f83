import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Driver, ObjectInfo, WriteOptions } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Key } from '../key.ts'
import type { Access } from '../read-only.ts'
import { errnoOf, makeFolder, unless } from './calls.ts'
import { copyVersion } from './copy.ts'
import { deleteFile } from './delete.ts'
import { asDriver, asDriverError } from './errors.ts'
import { FolderSync } from './folder-sync.ts'
import { Folders } from './folders.ts'
import { KeyLocks } from './key-locks.ts'
import { placeOf, workFolder } from './layout.ts'
import { DiskReader } from './reader.ts'
import { DiskReads } from './reads.ts'
import type { Storage } from './storage.ts'
import { createFile, discard } from './temp-file.ts'
import { TempFolder } from './temp-folder.ts'
import { writeFile } from './write.ts'

export interface DiskDriverOptions {
  /**
   * The folder that holds everything, on one file system; made where it is missing. It may be a directory that a
   * Gaia hub wrote, and may be used by any number of instances and processes of one machine at once.
   */
  root: string
  /**
   * `read` changes nothing, not even in a working folder of its own, and refuses to; the folder must be there. `write`
   * unless said otherwise.
   */
  access?: Access
  /**
   * `fsync` (the default): what is answered survives a loss of power. `none`: it survives the end of the process
   * only, and a loss of power may take files that were answered long before.
   */
  durability?: 'fsync' | 'none'
  /**
   * Whether to keep etag and content type in extended attributes too, where the file system has them (the
   * default). Without, each write has to sync a second file.
   */
  attributes?: boolean
  /** How long an operation waits for a name that others hold before it is `busy`; ten seconds unless said otherwise. */
  lockWaitMs?: number
}

/**
 * Opens a folder as storage, and removes what instances that died have left in it. Files and folders get the
 * modes that the umask leaves of 0666 and 0777, so that another server of the machine may serve them.
 * @throws `unavailable` or `backend` when the folder cannot be used, or locks do not work on this platform
 */
export async function diskDriver(options: DiskDriverOptions): Promise<Driver> {
  try {
    if (options.access === 'read') return new DiskReader(await realpath(options.root))
    return new DiskDriver(await openStorage(options))
  } catch (error) {
    throw asDriverError(error)
  }
}

async function openStorage(options: DiskDriverOptions): Promise<Storage> {
  if (process.platform === 'win32') {
    throw new DriverError('unavailable', 'the disk driver does not work on Windows')
  }
  await makeRoot(resolve(options.root))
  const root = await realpath(options.root)
  const work = `${root}/${workFolder}`
  const temp = await TempFolder.open(work)
  const sync = new FolderSync(root, options.durability !== 'none')
  return {
    root,
    temp,
    sync,
    locks: KeyLocks.open(work, options.lockWaitMs),
    folders: new Folders(root, sync),
    attributes: options.attributes ?? true,
  }
}

/** Not by `mkdir`'s own recursion, which never ends where nothing can be made (as below /proc). */
async function makeRoot(path: string): Promise<void> {
  try {
    await makeFolder(path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeRoot(dirname(path))
    await unless(makeFolder(path), existing, undefined)
  }
}

const existing: ReadonlySet<string> = new Set(['EEXIST'])

class DiskDriver extends DiskReads implements Driver {
  readonly #storage: Storage

  constructor(storage: Storage) {
    super(storage.root)
    this.#storage = storage
  }

  write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    return writeFile(this.#storage, placeOf(this.#storage.root, key), body, options)
  }

  delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    const place = placeOf(this.#storage.root, key)
    return asDriver(() =>
      this.#storage.locks.hold(key, () => deleteFile(this.#storage, place, options.condition?.ifMatch)),
    )
  }

  copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    const { root } = this.#storage
    return asDriver(() => copyVersion(this.#storage, placeOf(root, from), placeOf(root, to), options.ifMatch))
  }

  check(): Promise<void> {
    return asDriver(async () => discard(await createFile(this.#storage, Buffer.from('check'), true)))
  }

  async close(): Promise<void> {
    this.#storage.locks.close()
    this.#storage.folders.close()
    await asDriver(() => this.#storage.temp.close())
  }
}
