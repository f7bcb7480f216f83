import type { FileInfo } from '../../files/file.ts'
import { readFile } from '../../files/read.ts'
import { contentId, sealedType } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { parseLine } from '../signed-line.ts'
import { contentPath, folderOf, isContentPath } from './content-path.ts'
import type { SealContext } from './context.ts'

export interface SweepOptions {
  signal?: AbortSignal | undefined
  /** Contents younger than this may be of a write that is under way. 24 hours by default. */
  minAgeMs?: number
}

const dayMs = 86_400_000

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
  const folders = new Map<string, { contents: FileInfo[]; envelopes: string[] }>()
  const folder = (path: string) => {
    const known = folders.get(path) ?? { contents: [], envelopes: [] }
    folders.set(path, known)
    return known
  }
  // Whole folders: an envelope outside of the prefix may name a content within.
  for await (const info of connection.list({ prefix: folderOf(prefix), stat: true, signal })) {
    if (isContentPath(info.path)) folder(folderOf(info.path.slice(0, -33))).contents.push(info)
    else if (info.contentType === sealedType) folder(folderOf(info.path)).envelopes.push(info.path)
  }
  const deleted: string[] = []
  for (const { contents, envelopes } of folders.values()) {
    const old = contents.filter(({ modifiedMs }) => modifiedMs <= connection.transport.now() - minAgeMs)
    const named = old.length === 0 ? null : await namedContents(context, envelopes, signal)
    if (named === null) continue
    for (const { path, etag } of old.filter((content) => !named.has(content.path))) {
      if (await connection.delete(path, { ifMatch: etag, signal })) deleted.push(path)
    }
  }
  return deleted
}

/** `null` where an envelope cannot be read. */
async function namedContents(
  { connection }: SealContext,
  envelopes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Set<string> | null> {
  const named = new Set<string>()
  for (const path of envelopes) {
    const { bytes } = await readFile(connection.transport, path, { signal })
    try {
      named.add(await namedBy(bytes))
    } catch (error) {
      if (error instanceof SealError) return null
      throw error
    }
  }
  return named
}

/** Not verified: a forged envelope can keep a content from being deleted, and that is all. */
async function namedBy(bytes: Uint8Array): Promise<string> {
  const end = bytes.indexOf(0x0a)
  const { members } = parseLine(new TextDecoder().decode(bytes.subarray(0, end)))
  const id = contentId((members.content as { id?: unknown } | null)?.id)
  return contentPath(String(members.path), id)
}
