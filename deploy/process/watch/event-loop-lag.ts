import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

/** How often the loop is looked at, in milliseconds. */
const resolution = 10

/** In seconds. */
interface Lag {
  mean: number
  p99: number
  max: number
}

/**
 * How late the event loop is, in windows of a fixed length: whoever asks is told of the last whole one, however many
 * ask and however often. Of several workers the latest counts, since requests wait for it whatever the others do.
 * @returns what ends the measurement
 */
export function eventLoopLag(registry: Registry, windowMs = 10_000): () => void {
  const histogram = monitorEventLoopDelay({ resolution })
  const now = (): Lag => {
    if (histogram.count === 0) return { mean: 0, p99: 0, max: 0 }
    return {
      mean: lagOf(histogram.mean),
      p99: lagOf(histogram.percentile(99)),
      max: lagOf(histogram.max),
    }
  }
  let last: Lag | null = null
  const timer = setInterval(() => {
    last = now()
    histogram.reset()
  }, windowMs).unref()
  histogram.enable()
  const rows: [name: string, which: string, key: keyof Lag][] = [
    ['mandate_event_loop_lag_mean_seconds', 'on average', 'mean'],
    ['mandate_event_loop_lag_p99_seconds', 'at 99 of 100 looks at the most', 'p99'],
    ['mandate_event_loop_lag_max_seconds', 'at the most', 'max'],
  ]
  for (const [name, which, key] of rows) {
    new Gauge({
      name,
      help: `How late the event loop was within some seconds, ${which}; that of the latest worker`,
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.set((last ?? now())[key])
      },
    })
  }
  return () => {
    clearInterval(timer)
    histogram.disable()
  }
}

/** What is measured, in nanoseconds, is the time from one look to the next. */
function lagOf(betweenNs: number): number {
  return Math.max(0, betweenNs / 1e9 - resolution / 1e3)
}
