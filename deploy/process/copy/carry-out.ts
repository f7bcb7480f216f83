import { type CliContext, CliError } from '../../../client/cli/index.ts'
import { StartError } from '../start-error.ts'
import type { CopyCommandOptions } from './command.ts'
import { CopyGivenUp } from './copy-storage.ts'
import { type CopyReport, conflictsIn, failuresIn } from './events.ts'
import { LedgerError } from './ledger.ts'
import { runCopy, usualRecord } from './run-copy.ts'
import { readSide } from './side.ts'
import { reportLines, Teller } from './tell.ts'

/**
 * Reads both configurations, copies, and says what came of it.
 * @throws {CliError} also where something could not be copied, or differs at the destination
 */
export async function carryOutCopy(context: CliContext, options: CopyCommandOptions): Promise<void> {
  const { from, to } = await asCliError(async () => ({
    from: readSide('FROM', context.pathOf(options.from), context.io.env),
    to: readSide('TO', context.pathOf(options.to), context.io.env),
  }))
  const { workingFolder } = context.io
  const record =
    options.record === undefined ? usualRecord(from, to, workingFolder) : context.pathOf(options.record)
  const { dryRun = false, overwrite = false, delete: deleteGone = false, verify, concurrency } = options
  const { out, signal } = context
  out.note(`${dryRun ? 'Dry run: from' : 'From'} ${from.text} to ${to.text}; noted down in ${record}`)
  const teller = new Teller(context, dryRun)
  const report = await asCliError(async () => {
    try {
      const addresses = options.address ?? null
      const choices = { dryRun, overwrite, deleteGone, verify, concurrency, signal }
      return await runCopy({
        ...choices,
        from,
        to,
        addresses,
        record,
        onEvent: (event) => teller.event(event),
        progress: teller.progress,
      })
    } finally {
      teller.stop()
    }
  })
  out.result({ event: 'end', dryRun, ...report }, reportLines(report, dryRun))
  checkOutcome(report)
}

function checkOutcome(report: CopyReport): void {
  const [failures, conflicts] = [failuresIn(report), conflictsIn(report)]
  if (failures > 0) {
    throw new CliError('failed', `${failures} could not be copied`, { hint: 'Run it again to go on.' })
  }
  if (conflicts > 0) {
    throw new CliError('conflict', `${conflicts} differ at the destination and were left as they are`, {
      hint: 'With --overwrite the versions of the source take their place.',
    })
  }
}

async function asCliError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError('usage', error.message, { cause: error })
    if (error instanceof StartError) {
      throw new CliError(error.kind === 'configuration' ? 'usage' : 'failed', error.message, { cause: error })
    }
    if (error instanceof CopyGivenUp) {
      const hint = 'What was copied stays; run it again to go on.'
      throw new CliError('failed', `given up after ${error.message}`, { cause: error, hint })
    }
    throw error
  }
}
