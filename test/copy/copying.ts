import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CopyOptions, copyStorage } from '../../deploy/process/copy/copy-storage.ts'
import type { CopyEvent, CopyReport } from '../../deploy/process/copy/events.ts'
import { openLedger } from '../../deploy/process/copy/ledger.ts'
import type { Driver } from '../../drivers/driver.ts'

const folders = new Set<string>()

/** A folder that {@link removeFolders} removes. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mandate-copy-test-'))
  folders.add(folder)
  return folder
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
  folders.clear()
}

export interface Run {
  report: CopyReport
  events: CopyEvent[]
  /** What became of a key: `copied`, or `conflict: …`. */
  of: (key: string) => string | undefined
}

/** One run, with the ledger of the runs before it in the same folder. */
export async function runCopying(
  source: Driver,
  target: Driver,
  ledgerFolder: string,
  more: Partial<CopyOptions> = {},
): Promise<Run> {
  const events: CopyEvent[] = []
  const report = await copyStorage({
    source,
    target,
    ledger: await openLedger(ledgerFolder, 'source → target', more.dryRun === true),
    addresses: null,
    overwrite: false,
    deleteGone: false,
    verify: 'read',
    dryRun: false,
    concurrency: 4,
    settleMs: 0,
    cacheControl: 'no-cache',
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    progress: { isShown: false, found() {}, moved() {}, done() {} },
    ...more,
  })
  return {
    report,
    events,
    of(key) {
      const event = events.findLast((other) => other.key === key)
      return event?.reason === undefined ? event?.action : `${event.action}: ${event.reason}`
    },
  }
}
