import type { CliContext } from '../../../client/cli/index.ts'
import { formatBytes } from '../../../client/cli/index.ts'
import { printable } from '../../../client/cli/terminal/style.ts'
import type { CopyAction, CopyEvent, CopyReport, Counts } from './events.ts'
import { type ShownProgress, showProgress } from './progress.ts'

/** Says what becomes of files while a copy runs: results on standard output, progress on standard error. */
export class Teller {
  readonly #context: CliContext
  readonly #dryRun: boolean
  readonly progress: ShownProgress

  constructor(context: CliContext, dryRun: boolean) {
    this.#context = context
    this.#dryRun = dryRun
    this.progress = showProgress(context, dryRun ? 'look' : 'copy')
  }

  /** For programs every change, for people only what needs their attention, but in a dry run all. */
  event(event: CopyEvent): void {
    const { out } = this.#context
    const isTrouble = event.action === 'conflict' || event.action === 'failed'
    if (event.action === 'there') return
    if (!out.json && !isTrouble && !this.#dryRun) return
    this.progress.around(() => out.result({ event: 'copy', ...event }, this.#line(event)))
  }

  stop(): void {
    this.progress.stop()
  }

  #line({ action, key, reason }: CopyEvent): string {
    const word = this.#dryRun ? (intentions[action] ?? action) : action
    return printable(`${word} ${key}${reason === undefined ? '' : `: ${reason}`}`)
  }
}

const intentions: Partial<Record<CopyAction, string>> = {
  copied: 'would copy',
  updated: 'would update',
  compared: 'is the same',
  deleted: 'would delete',
  gone: 'is gone at the source, would stay',
}

/** A line each for files and for records. */
export function reportLines(report: CopyReport, dryRun: boolean): string[] {
  const { addresses, files, records, failedAddresses, bytes } = report
  const size = `${formatBytes(bytes)} ${dryRun ? 'to be written' : 'written'}`
  const failed = failedAddresses === 0 ? '' : `, ${failedAddresses} failed`
  return [
    `addresses: ${addresses}${failed}; ${size}`,
    `files: ${countsText(files)}`,
    `records: ${countsText(records)}`,
  ]
}

const words: Record<CopyAction, string> = {
  copied: 'copied',
  updated: 'updated',
  compared: 'found to be the same',
  there: 'there already',
  deleted: 'deleted',
  gone: 'gone at the source and kept',
  conflict: 'in conflict',
  failed: 'failed',
}

function countsText(counts: Counts): string {
  const told = Object.entries(words).flatMap(([action, word]) => {
    const number = counts[action as CopyAction]
    return number === 0 ? [] : [`${number} ${word}`]
  })
  return told.length === 0 ? 'none' : told.join(', ')
}
