import type { Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import type { FromWorker, ToWorker, WorkerMetrics } from './messages.ts'

/** A worker that does not answer within this time is told of as it was; it must not take the others with it. */
const answerMs = 2_000

export interface GatheredMetrics {
  /** Takes what a worker tells from now on, up to what it tells last. */
  follow(worker: Worker): void
  /** The sums over all workers, and over what those that are gone had counted: a counter never goes down. */
  render(): Promise<string>
}

/** A worker, what it last told, and whoever waits for it to tell more. */
interface Followed {
  readonly worker: Worker
  metrics: WorkerMetrics
  readonly waiting: Set<() => void>
}

/**
 * One page for all workers, by prom-client's sums. Not by its own way of asking, which waits for a worker that is only
 * about to start, and then answers with nothing at all.
 */
export function gatherMetrics(): GatheredMetrics {
  const present = new Set<Followed>()
  let departed: Promise<WorkerMetrics> = Promise.resolve([])
  return {
    follow(worker) {
      const followed: Followed = { worker, metrics: [], waiting: new Set() }
      present.add(followed)
      worker.on('message', (message: FromWorker) => {
        if (message.type !== 'metrics') return
        followed.metrics = message.metrics
        for (const go of followed.waiting) go()
      })
      // At its exit, what it told last may still be on the way.
      worker.once('disconnect', () => {
        present.delete(followed)
        const counted = followed.metrics.filter(isCounted)
        departed = departed.then((before) => sum(before, counted).getMetricsAsJSON())
        for (const go of followed.waiting) go()
      })
    },
    async render() {
      await Promise.all([...present].map(ask))
      // Both at the same moment: a worker that ends meanwhile is in one of them, and in one only.
      const told = [...present].map(({ metrics }) => metrics)
      const before = departed
      return await sum(...told, await before).metrics()
    },
  }
}

/** Gauges tell of the moment; of who is gone there is nothing to tell. */
function isCounted({ type }: WorkerMetrics[number]): boolean {
  return String(type) !== 'gauge'
}

function sum(...all: WorkerMetrics[]): Registry {
  return AggregatorRegistry.aggregate(all)
}

/** Waits until it has told, is gone, or has not answered in time. */
async function ask({ worker, waiting }: Followed): Promise<void> {
  if (!worker.isConnected()) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      waiting.delete(done)
      resolve()
    }
    const timer = setTimeout(done, answerMs)
    waiting.add(done)
    worker.send({ type: 'tell-metrics' } satisfies ToWorker)
  })
}
