import { InvalidArgumentError } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { failureOf, reportFailure } from '../report-error.ts'
import { startProgress } from '../terminal/progress.ts'
import { printable } from '../terminal/style.ts'
import { runPool } from './pool.ts'

/** What one transfer tells while it runs. */
export interface TransferTelling {
  /** Bytes so far. */
  onBytes: (bytes: number) => void
  /** Prints with the progress bar out of the way. */
  print: (print: () => void) => void
}

export interface ManyTransfers<T> {
  /** What is done, for the progress. */
  label: string
  items: readonly T[]
  totalBytes: number
  /** How many at once. */
  width: number
  nameOf: (item: T) => string
  transfer: (item: T, telling: TransferTelling) => Promise<void>
}

/**
 * Moves files, several at a time, with progress. One that fails is told and does not stop the others; the command then
 * ends with the status of the first failure.
 * @throws {CliError}
 */
export async function transferMany<T>(context: CliContext, transfers: ManyTransfers<T>): Promise<void> {
  const { items, nameOf, transfer, label, totalBytes, width } = transfers
  const progress = startProgress(context, { label, totalBytes, totalFiles: items.length })
  const only = items.length === 1
  try {
    const failures = await runPool(
      items,
      async (item) => {
        const name = nameOf(item)
        await transfer(item, {
          onBytes: (bytes) => progress.set(name, bytes),
          print: (print) => progress.around(print),
        })
        progress.fileDone(name)
      },
      {
        width,
        signal: context.signal,
        onFailure: ({ item, error }) => {
          if (!only) progress.around(() => tellFailure(context, nameOf(item), error))
        },
      },
    )
    const [first] = failures
    if (first === undefined) return
    if (only) throw first.error
    const { exit, hint } = failureOf(first.error, context.signal)
    throw new CliError(
      exit,
      `${failures.length} of ${items.length} failed`,
      hint === undefined ? {} : { hint },
    )
  } finally {
    progress.stop()
  }
}

function tellFailure(context: CliContext, name: string, error: unknown): void {
  const { hint: _hint, ...failure } = failureOf(error, context.signal)
  const details = { ...failure.details, path: name }
  reportFailure({ ...failure, message: `${printable(name)}: ${failure.message}`, details }, context.out)
}

/** How many transfers at a time: a bounded number. */
export function readParallel(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 32) {
    throw new InvalidArgumentError('It is a number from 1 to 32.')
  }
  return count
}
