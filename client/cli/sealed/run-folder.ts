import type { FolderOptions, FolderProgress, FolderResult } from '../../seal/files/folder.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { failureOf, reportFailure } from '../report-error.ts'
import { startCount } from '../terminal/count-progress.ts'
import { printable } from '../terminal/style.ts'

export interface FolderRun<T> {
  /** What is done, for the progress: `unshare`. */
  label: string
  /** What is told of a file that was changed: `unshared`; `null` to tell nothing. */
  done: string | null
  work: (options: Required<FolderOptions>) => Promise<T>
  onProgress?: (progress: FolderProgress) => void
}

/**
 * Changes the sealed files of a folder with progress, and tells of each one that was changed, and of each that was not.
 * @throws {CliError} with the status of the first failure
 */
export async function runFolder<T extends Pick<FolderResult, 'failed'>>(
  context: CliContext,
  { label, done, work, onProgress }: FolderRun<T>,
): Promise<T> {
  const progress = startCount(context, label)
  const result = await work({
    signal: context.signal,
    onProgress(at) {
      progress.set(at.done, at.total)
      onProgress?.(at)
      if (at.outcome !== 'changed' || done === null) return
      const { path, outcome } = at
      progress.around(() => context.out.result({ path, outcome }, `${done} ${printable(path)}`))
    },
  }).finally(() => progress.stop())
  tellFailures(context, result.failed)
  return result
}

function tellFailures(context: CliContext, failed: FolderResult['failed']): void {
  const failures = failed.map(({ path, error }) => ({ path, ...failureOf(error) }))
  const [first] = failures
  if (first === undefined) return
  for (const { path, hint: _, ...failure } of failures) {
    const details = { ...failure.details, path }
    reportFailure({ ...failure, message: `${printable(path)}: ${failure.message}`, details }, context.out)
  }
  const count = failures.length === 1 ? 'one file' : `${failures.length} files`
  throw new CliError(first.exit, `${count} could not be done`, {
    hint: first.hint ?? 'Run it again: it goes on with what is left.',
  })
}
