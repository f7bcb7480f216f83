import { dirname } from 'node:path'
import { Counter, Gauge, Registry } from 'prom-client'
import type { RunningServer } from '../../../http/server.ts'
import { endAtSignals, endWith } from '../lifecycle.ts'
import { openLog } from '../log.ts'
import type { ServeOptions } from '../serve.ts'
import { summary } from '../summary.ts'
import { openMetricsPage } from '../watch/open-page.ts'
import { gatherMetrics } from './gather-metrics.ts'
import { startPool } from './pool.ts'

/**
 * Serves by several processes on the same ports. This one hands connections on to them, looks after them and tells
 * their metrics in one page; it does not serve.
 * @throws {StartError} and leaves nothing running
 */
export async function serveByWorkers({
  config,
  kind,
  file,
  count,
}: ServeOptions & { count: number }): Promise<void> {
  const logger = openLog(config.logLevel, 0)
  const numbers = poolMetrics()
  const theirs = gatherMetrics()
  const folder = file === null ? process.cwd() : dirname(file)
  const pool = await startPool({
    count,
    start: { config, kind, folder },
    logger,
    onServing: (worker) => theirs.follow(worker),
    onRestart: numbers.countRestart,
  })
  numbers.countAlive(() => pool.size())
  // Those of all workers as sums, and those about the workers.
  const render = async () => (await Promise.all([theirs.render(), numbers.render()])).join('\n')
  let page: RunningServer | null = null
  try {
    if (config.metrics.enabled) page = await openMetricsPage(config, render, logger)
  } catch (error) {
    await pool.close()
    throw error
  }
  const close = async () => {
    await pool.close()
    await page?.close()
  }
  const ending = endWith({ close }, logger)
  // What ends this process at once must not leave workers behind.
  process.on('exit', () => pool.kill())
  endAtSignals(ending)
  const { listening } = pool
  logger.info({ hub: listening.hub?.url, reader: listening.reader?.url, workers: count }, 'listening')
  process.stderr.write(
    summary({ config, running: listening, file, metricsUrl: page?.url ?? null, workers: count }),
  )
}

function poolMetrics() {
  const own = new Registry()
  let alive = () => 0
  new Gauge({
    name: 'mandate_workers',
    help: 'Workers that are there',
    registers: [own],
    collect() {
      this.set(alive())
    },
  })
  const restarts = new Counter({
    name: 'mandate_worker_restarts_total',
    help: 'Workers that ended by themselves and were started anew',
    registers: [own],
  })
  return {
    countRestart: () => restarts.inc(),
    countAlive(count: () => number) {
      alive = count
    },
    render: () => own.metrics(),
  }
}
