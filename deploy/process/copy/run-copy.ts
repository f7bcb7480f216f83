import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Driver } from '../../../drivers/driver.ts'
import type { Address } from '../../../drivers/key.ts'
import { memoryDriver } from '../../../drivers/memory.ts'
import { openDriver } from '../open-driver.ts'
import { StartError } from '../start-error.ts'
import { type CopyOptions, type CopyProgress, copyStorage } from './copy-storage.ts'
import type { CopyEvent, CopyReport } from './events.ts'
import { openLedger } from './ledger.ts'
import { checkExists, type Side } from './side.ts'

export interface RunOptions
  extends Pick<CopyOptions, 'dryRun' | 'overwrite' | 'deleteGone' | 'verify' | 'concurrency' | 'signal'> {
  from: Side
  to: Side
  addresses: readonly Address[] | null
  /** The folder of the ledger. */
  record: string
  onEvent: (event: CopyEvent) => void
  progress: CopyProgress
}

/**
 * Opens both storages and copies.
 * @throws {StartError} where one cannot be used; whatever {@link copyStorage} rejects with
 */
export async function runCopy({ from, to, addresses, record, ...options }: RunOptions): Promise<CopyReport> {
  if (from.identity === to.identity) {
    throw new StartError('configuration', `both configurations are of one storage, the ${from.text}`)
  }
  checkExists(from)
  const pair = `${from.identity} → ${to.identity}`
  const source = await openDriver(
    { ...from.config, createBucket: false },
    { folder: from.folder, access: 'read' },
  )
  try {
    const target = await openTarget(to, options.dryRun)
    try {
      const ledger = await openLedger(record, pair, options.dryRun)
      const { cacheControl, revocationMaxAge } = to.config.hub
      const settleMs = revocationMaxAge * 1000
      return await copyStorage({ ...options, source, target, addresses, ledger, cacheControl, settleMs })
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** Where the ledger is kept unless something else is said: another one for each pair of storages. */
export function usualRecord(from: Side, to: Side, folder: string): string {
  const hash = createHash('sha256').update(`${from.identity} → ${to.identity}`).digest('hex')
  return resolve(folder, `mandate-copy-${hash.slice(0, 12)}`)
}

/** A dry run makes nothing, not even the folder: one that is not there is as good as an empty one. */
async function openTarget({ config, folder }: Side, dryRun: boolean): Promise<Driver> {
  const isMissing = config.driver === 'disk' && !existsSync(config.diskSettings.storageRootDirectory)
  if (dryRun && isMissing) return memoryDriver()
  return await openDriver(
    { ...config, createBucket: config.createBucket && !dryRun },
    { folder, access: dryRun ? 'read' : 'write' },
  )
}
