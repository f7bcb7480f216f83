import { existsSync } from 'node:fs'
import { type SweepReport, sweep } from '../../hub/sweep.ts'
import type { Config } from './config/schema.ts'
import { openDriver, storageText } from './open-driver.ts'
import { StartError } from './start-error.ts'

/**
 * Removes expired grants and revocations from the storage of a configuration, and says on standard output what was
 * removed; progress goes to standard error.
 * @param folder of the configuration file
 * @throws {StartError} where the storage cannot be used, or whatever the driver rejects with
 */
export async function runSweep(config: Config, dryRun: boolean, folder: string): Promise<void> {
  checkExists(config)
  const driver = await openDriver({ ...config, createBucket: false }, { folder })
  const showProgress = progressLine()
  try {
    process.stderr.write(`Looking for expired grants and revocations in ${storageText(config)}\n`)
    const report = await sweep({
      driver,
      now: Date.now() / 1000,
      dryRun,
      onRemove: (key) => process.stdout.write(`${dryRun ? 'would remove' : 'removed'} ${key}\n`),
      onProgress: showProgress,
    })
    process.stdout.write(`${reportText(report, dryRun)}\n`)
  } finally {
    await driver.close()
  }
}

/** A hub makes its folder, or its bucket where it is told to; a sweep of one that is not there is a mistake in its name. */
function checkExists({ driver, diskSettings: { storageRootDirectory } }: Config): void {
  if (driver !== 'disk' || existsSync(storageRootDirectory)) return
  throw new StartError(
    'configuration',
    `there is no folder ${storageRootDirectory}; --data names another one`,
  )
}

/** Says how far it is every two seconds, where there is more to do than that. */
function progressLine(): (report: SweepReport) => void {
  let toldMs = Date.now()
  return ({ addresses, records }) => {
    if (Date.now() - toldMs < 2_000) return
    toldMs = Date.now()
    process.stderr.write(`  ${addresses} addresses, ${records} records so far\n`)
  }
}

function reportText(
  { addresses, records, grants, revocations, unreadable }: SweepReport,
  dryRun: boolean,
): string {
  const done = dryRun ? 'would be removed' : 'removed'
  const kept = unreadable === 0 ? '' : `; ${unreadable} could not be read and stay`
  return `${grants} grants and ${revocations} revocations ${done}, of ${records} records at ${addresses} addresses${kept}`
}
