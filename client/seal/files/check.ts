import { iterate } from '../chunks.ts'
import type { SealContext } from './context.ts'
import { type FolderOptions, type FolderResult, forEachSealed } from './folder.ts'
import { readStream } from './read.ts'

/** What a drill has found. */
export interface CheckResult {
  /** Files that open, to their last byte. */
  readonly opened: number
  /** Files that are sealed for other keys. */
  readonly others: number
  readonly failed: FolderResult['failed']
}

/** Opens every sealed file below a prefix with the keys at hand, whoever sealed it, and throws away what it reads. */
export async function checkFolder(
  context: SealContext,
  prefix: string,
  options: FolderOptions,
): Promise<CheckResult> {
  const opens = async (path: string) => {
    const { stream } = await readStream(context, path, { sealers: 'anybody', signal: options.signal })
    const content = iterate(stream)
    while (!(await content.next()).done) options.signal?.throwIfAborted()
    return true
  }
  const { changed, closed, failed } = await forEachSealed(context, prefix, opens, options)
  return { opened: changed, others: closed, failed }
}
