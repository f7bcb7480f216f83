import cluster from 'node:cluster'
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
void tell({ type: 'loaded' })

async function start({ config, kind, folder, number }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  const logger = openLog(config.logLevel, number)
  try {
    const { watch, registry } = await openWatch(config, process.env, logger)
    const tellMetrics = async () => {
      if (registry !== null) await tell({ type: 'metrics', metrics: await registry.getMetricsAsJSON() })
    }
    process.on('message', (message: ToWorker) => {
      if (message.type === 'tell-metrics') void tellMetrics()
    })
    const running = await startServers({ config, kind, logger, folder, watch })
    const close = async () => {
      await running.close()
      // What was counted since somebody asked last would be lost.
      await tellMetrics()
      await watch.close()
    }
    const { stop } = endWith({ close }, logger)
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
    void tell({ type: 'ready', listening: listeningOf(running) })
  } catch (error) {
    const kindOfError = error instanceof StartError ? error.kind : 'start'
    const message = error instanceof StartError ? error.message : String((error as Error).stack ?? error)
    await tell({ type: 'failed', kind: kindOfError, message })
    process.exit(1)
  }
}

function listeningOf({ hub, reader, readUrlPrefix, atomicDeletes }: Running): Listening {
  const place = (server: Running['hub']) => (server === null ? null : { url: server.url, port: server.port })
  return { hub: place(hub), reader: place(reader), readUrlPrefix, atomicDeletes }
}

/** Resolves when it is on its way, or when there is nobody to hear it. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, undefined, {}, () => resolve())
  })
}
