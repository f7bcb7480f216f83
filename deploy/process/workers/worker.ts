import cluster from 'node:cluster'
import type { Registry } from 'prom-client'
import { endWith } from '../lifecycle.ts'
import { openLog } from '../log.ts'
import { type Running, startServers } from '../start.ts'
import { StartError } from '../start-error.ts'
import { openWatch } from '../watch/open-watch.ts'
import type { FromWorker, Listening, ToWorker } from './messages.ts'

/**
 * The entry of a worker: a process that serves what the primary tells it to, and ends when that says so or is gone.
 * SIGINT is left to the primary, since a terminal sends it to all of them; SIGTERM ends this worker alone.
 */
// Else a worker whose primary is gone would end in the middle of what it does.
if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
process.on('SIGINT', () => undefined)
process.on('message', (message: ToWorker) => {
  if (message.type === 'start') void start(message)
})
tell({ type: 'loaded' })

async function start({ config, kind, folder, number }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  const logger = openLog(config.logLevel, number)
  try {
    const { watch, registry } = await openWatch(config, process.env, logger)
    if (registry !== null) answerForMetrics(registry)
    const running = await startServers({ config, kind, logger, folder, watch })
    const { stop } = endWith({ close: () => running.close().then(() => watch.close()) }, logger)
    let isStopping = false
    const stopOnce = (why: string) => {
      // The primary, the terminal and the service manager may all ask.
      if (!isStopping) stop(why, 0)
      isStopping = true
    }
    process.on('SIGTERM', () => stopOnce('SIGTERM'))
    process.on('disconnect', () => stopOnce('the primary is gone'))
    process.on('message', (message: ToWorker) => {
      if (message.type === 'stop') stopOnce('the primary said so')
    })
    tell({ type: 'ready', listening: listeningOf(running) })
  } catch (error) {
    const kindOfError = error instanceof StartError ? error.kind : 'start'
    const message = error instanceof StartError ? error.message : String((error as Error).stack ?? error)
    tell({ type: 'failed', kind: kindOfError, message }, () => process.exit(1))
  }
}

function answerForMetrics(registry: Registry): void {
  const answer = async () => tell({ type: 'metrics', metrics: await registry.getMetricsAsJSON() })
  process.on('message', (message: ToWorker) => {
    if (message.type === 'tell-metrics') void answer()
  })
}

function listeningOf({ hub, reader, readUrlPrefix, atomicDeletes }: Running): Listening {
  const place = (server: Running['hub']) => (server === null ? null : { url: server.url, port: server.port })
  return { hub: place(hub), reader: place(reader), readUrlPrefix, atomicDeletes }
}

function tell(message: FromWorker, then: () => void = () => undefined): void {
  process.send?.(message, undefined, {}, then)
}
