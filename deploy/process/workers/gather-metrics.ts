import type { Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import type { FromWorker, ToWorker, WorkerMetrics } from './messages.ts'

/** A worker that does not answer within this time is left out of the page; it must not take the others with it. */
const answerMs = 2_000

export interface GatheredMetrics {
  /** The sums over these workers, and over what those that are gone had told. */
  render(workers: readonly Worker[]): Promise<string>
  /** Keeps what a worker that is gone had last told: a counter never goes down. */
  keep(worker: Worker): void
}

/**
 * One page for all workers, by prom-client's sums. Not by its own way of asking, which waits for a worker that is only
 * about to start, and then answers with nothing at all.
 */
export function gatherMetrics(): GatheredMetrics {
  const last = new WeakMap<Worker, WorkerMetrics>()
  let departed: Promise<WorkerMetrics> = Promise.resolve([])
  return {
    async render(workers) {
      const told = await Promise.all(workers.map((worker) => ask(worker)))
      for (const [i, worker] of workers.entries()) {
        const metrics = told[i]
        if (metrics !== undefined && metrics !== null) last.set(worker, metrics)
      }
      const known = workers.flatMap((worker) => last.get(worker) ?? [])
      return await sum(known, await departed).metrics()
    },
    keep(worker) {
      // Gauges tell of the moment; of who is gone there is nothing to tell.
      const counted = (last.get(worker) ?? []).filter(({ type }) => String(type) !== 'gauge')
      departed = departed.then((before) => sum(before, counted).getMetricsAsJSON())
    },
  }
}

function sum(...all: WorkerMetrics[]): Registry {
  return AggregatorRegistry.aggregate(all)
}

/** `null` where it does not answer in time. */
function ask(worker: Worker): Promise<WorkerMetrics | null> {
  return new Promise((resolve) => {
    const done = (metrics: WorkerMetrics | null) => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(metrics)
    }
    const onMessage = (message: FromWorker) => {
      if (message.type === 'metrics') done(message.metrics)
    }
    const onExit = () => done(null)
    const timer = setTimeout(done, answerMs, null)
    worker.on('message', onMessage)
    worker.once('exit', onExit)
    if (worker.isConnected()) worker.send({ type: 'tell-metrics' } satisfies ToWorker)
    else done(null)
  })
}
