import { MandateError } from '../../errors.ts'
import { sealedType } from '../envelope.ts'
import { isContentPath, isHistoryPath } from './content-path.ts'
import type { SealContext } from './context.ts'
import { type AllowedSealers, wasSealed } from './trust.ts'

/** How far a folder is. */
export interface FolderProgress {
  /** Files that are over. */
  readonly done: number
  readonly total: number
  /** The file that was last. */
  readonly path: string
  readonly outcome: 'changed' | 'unchanged' | 'closed' | 'failed'
}

export interface FolderResult {
  readonly changed: number
  /** Sealed files that needed no change. */
  readonly unchanged: number
  /** Sealed files that do not open for the keys at hand: who can open them is not known, and was not changed. */
  readonly closed: number
  /** Files that could not be changed; calling it again goes on with them. */
  readonly failed: readonly { readonly path: string; readonly error: MandateError }[]
}

export interface FolderOptions {
  signal?: AbortSignal | undefined
  onProgress?: (progress: FolderProgress) => void
}

interface ForEachOptions {
  /** Whether the boxes of the index, below `.mandate/`, are among the files. */
  withIndex?: boolean
  /** `anybody` takes it that what was sealed may be so no more. */
  sealers?: AllowedSealers
}

/**
 * Paths of the sealed files below a prefix, by their Content-Type. That is not signed, so what was seen sealed is among
 * them too: a storage that names another type would keep a file open for those who are removed.
 */
async function sealedPaths(
  { connection, memory }: SealContext,
  prefix: string,
  { signal, withIndex = false, sealers }: FolderOptions & ForEachOptions,
): Promise<string[]> {
  const { address } = connection
  const paths: string[] = []
  for await (const { path, contentType } of connection.list({ prefix, stat: true, signal })) {
    const isOther = isContentPath(path) || isHistoryPath(path) || (!withIndex && path.startsWith('.mandate/'))
    if (isOther) continue
    const isByType = contentType === sealedType
    if (isByType || (sealers !== 'anybody' && (await wasSealed(memory, { address, path })))) paths.push(path)
  }
  return paths
}

/**
 * Changes every sealed file below a prefix, one after the other. Each is in its old state or its new one at any time,
 * so whatever stops it, calling it again goes on: what is done already is left as it is.
 * @param change tells whether it changed the file
 */
export async function forEachSealed(
  context: SealContext,
  prefix: string,
  change: (path: string) => Promise<boolean>,
  options: FolderOptions & ForEachOptions = {},
): Promise<FolderResult> {
  const { signal, onProgress } = options
  const paths = await sealedPaths(context, prefix, options)
  const failed: { path: string; error: MandateError }[] = []
  const counts = { changed: 0, unchanged: 0, closed: 0 }
  for (const [index, path] of paths.entries()) {
    signal?.throwIfAborted()
    const outcome = await outcomeOf(change(path))
    if (outcome instanceof MandateError) failed.push({ path, error: outcome })
    else counts[outcome] += 1
    const told = outcome instanceof MandateError ? 'failed' : outcome
    onProgress?.({ done: index + 1, total: paths.length, path, outcome: told })
  }
  return { ...counts, failed }
}

async function outcomeOf(
  changing: Promise<boolean>,
): Promise<'changed' | 'unchanged' | 'closed' | MandateError> {
  try {
    return (await changing) ? 'changed' : 'unchanged'
  } catch (error) {
    if (!(error instanceof MandateError)) throw error
    if (error.code === 'not-a-recipient') return 'closed'
    return error.code === 'not-found' ? 'unchanged' : error
  }
}
