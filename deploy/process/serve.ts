import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import type { Config, Kind } from './config/schema.ts'
import { type Closable, endAtSignals, endWith } from './lifecycle.ts'
import { openLog } from './log.ts'
import { startServers } from './start.ts'
import { summary } from './summary.ts'
import { openMetricsPage } from './watch/open-page.ts'
import { openWatch } from './watch/open-watch.ts'

export interface ServeOptions {
  config: Config
  kind: Kind
  /** The configuration file that was read. */
  file: string | null
}

/**
 * Starts, prints the summary on standard error and goes on until a signal; the log is on standard output.
 * @throws {StartError} and leaves nothing running
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { workers } = options.config
  const count = workers === 'auto' ? availableParallelism() : workers
  if (count === 1) return await serveAlone(options)
  const { serveByWorkers } = await import('./workers/primary.ts')
  await serveByWorkers({ ...options, count })
}

async function serveAlone({ config, kind, file }: ServeOptions): Promise<void> {
  const logger = openLog(config.logLevel)
  const folder = file === null ? process.cwd() : dirname(file)
  const { watch, registry } = await openWatch(config, process.env, logger)
  const running = await startServers({ config, kind, logger, folder, watch })
  const open: Closable[] = [running]
  // In turn: the metrics tell of the last requests, too.
  const close = async () => {
    for (const part of open) await part.close()
  }
  let metricsUrl: string | null = null
  try {
    const page = registry === null ? null : await openMetricsPage(config, () => registry.metrics(), logger)
    if (page !== null) open.push(page)
    metricsUrl = page?.url ?? null
  } catch (error) {
    await close()
    throw error
  }
  open.push(watch)
  endAtSignals(endWith({ close }, logger))
  logger.info({ hub: running.hub?.url, reader: running.reader?.url }, 'listening')
  process.stderr.write(summary({ config, running, file, metricsUrl }))
}
