import type { FileInfo } from '../../files/file.ts'
import { readFile } from '../../files/read.ts'
import { contentId, sealedType } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { parseLine } from '../signed-line.ts'
import { contentPath, folderOf, isContentPath } from './content-path.ts'
import type { SealContext } from './context.ts'
import { orNull } from './stored-object.ts'

export interface SweepOptions {
  signal?: AbortSignal | undefined
  /** Contents younger than this may be of a write that is under way. 24 hours by default. */
  minAgeMs?: number
}

const dayMs = 86_400_000

/** The sealed parts of one folder. */
interface Folder {
  readonly contents: FileInfo[]
  readonly envelopes: FileInfo[]
}

/**
 * Deletes contents that no envelope names, present or former: what is left of writes that were broken off, and of
 * writers who may not delete. A folder with an envelope that cannot be read is left as it is.
 * @returns the paths that were deleted
 */
export async function sweepContents(
  context: SealContext,
  prefix: string,
  { signal, minAgeMs = dayMs }: SweepOptions = {},
): Promise<string[]> {
  const { connection } = context
  const isOld = ({ modifiedMs }: FileInfo) => modifiedMs <= connection.transport.now() - minAgeMs
  const named = new Named(context, signal)
  const first = await foldersBelow(context, prefix, signal)
  for (const [name, folder] of first) if (folder.contents.some(isOld)) await named.add(name, folder)
  // What a present version named may be a former one's by now, which the first look has missed.
  const second = await foldersBelow(context, prefix, signal)
  const deleted: string[] = []
  for (const [name, { contents }] of first) {
    const old = contents.filter((content) => isOld(content) && !named.has(content.path))
    const now = second.get(name)
    if (old.length === 0 || now === undefined) continue
    await named.add(name, now)
    if (named.isUnclear(name)) continue
    for (const { path, etag } of old.filter((content) => !named.has(content.path))) {
      if (await connection.delete(path, { ifMatch: etag, signal })) deleted.push(path)
    }
  }
  return deleted
}

async function foldersBelow(
  { connection }: SealContext,
  prefix: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, Folder>> {
  const folders = new Map<string, Folder>()
  const folder = (path: string) => {
    const known = folders.get(path) ?? { contents: [], envelopes: [] }
    folders.set(path, known)
    return known
  }
  // Whole folders: an envelope outside of the prefix may name a content within.
  for await (const info of connection.list({ prefix: folderOf(prefix), stat: true, signal })) {
    if (isContentPath(info.path)) folder(folderOf(info.path.slice(0, -33))).contents.push(info)
    else if (info.contentType === sealedType) folder(folderOf(info.path)).envelopes.push(info)
  }
  return folders
}

/** The contents that envelopes name; each envelope is read once. */
class Named {
  readonly #context: SealContext
  readonly #signal: AbortSignal | undefined
  readonly #contents = new Set<string>()
  readonly #read = new Set<string>()
  readonly #unclear = new Set<string>()

  constructor(context: SealContext, signal: AbortSignal | undefined) {
    this.#context = context
    this.#signal = signal
  }

  has(content: string): boolean {
    return this.#contents.has(content)
  }

  /** Whether an envelope of the folder could not be read. */
  isUnclear(folder: string): boolean {
    return this.#unclear.has(folder)
  }

  async add(folder: string, { envelopes }: Folder): Promise<void> {
    const { transport } = this.#context.connection
    for (const { path, etag } of envelopes) {
      const version = JSON.stringify([path, etag])
      if (this.#read.has(version)) continue
      const file = await orNull(readFile(transport, path, { signal: this.#signal }))
      if (file !== null) await this.#take(folder, file.bytes)
      this.#read.add(version)
    }
  }

  async #take(folder: string, bytes: Uint8Array): Promise<void> {
    try {
      this.#contents.add(await namedBy(bytes))
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      this.#unclear.add(folder)
    }
  }
}

/** Not verified: a forged envelope can keep a content from being deleted, and that is all. */
async function namedBy(bytes: Uint8Array): Promise<string> {
  const end = bytes.indexOf(0x0a)
  const { members } = parseLine(new TextDecoder().decode(bytes.subarray(0, end)))
  const id = contentId((members.content as { id?: unknown } | null)?.id)
  return contentPath(String(members.path), id)
}
