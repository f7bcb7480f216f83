import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { AggregatorRegistry, Registry } from 'prom-client'
import { eventLoopLag } from '../../deploy/process/watch/event-loop-lag.ts'
import { parseMetrics } from './metrics.ts'

const names = ['mean', 'p99', 'max'].map((which) => `mandate_event_loop_lag_${which}_seconds`)

function block(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

async function lags(registry: Registry): Promise<number[]> {
  const samples = parseMetrics(await registry.metrics())
  return names.map((name) => samples.find((sample) => sample.name === name)?.value ?? Number.NaN)
}

describe('the lag of the event loop', () => {
  const windowMs = 300
  let registry: Registry
  let stop: () => void

  beforeEach(() => {
    registry = new Registry()
    stop = eventLoopLag(registry, windowMs)
  })
  afterEach(() => stop())

  /** Blocks the loop nearly all the time of one window at least. */
  async function beLate(): Promise<void> {
    for (let i = 0; i < 6; i++) {
      block(150)
      await sleep(1)
    }
  }

  it('is told alike to all who ask, one right after the other', async () => {
    await beLate()
    const first = await lags(registry)
    const second = await lags(registry)
    for (const lag of first) expect(lag).to.be.within(0.05, 5)
    expect(second).to.deep.equal(first)
  })

  it('is a number of seconds before anything was measured', async () => {
    for (const lag of await lags(registry)) expect(lag).to.be.within(0, 5)
  })

  it('is over when it is over, whether anybody asked or not', async () => {
    await beLate()
    await sleep(3 * windowMs)
    const [mean] = await lags(registry)
    expect(mean).to.be.below(0.05)
  })

  it('is that of the latest of several workers', async () => {
    await beLate()
    const late = await lags(registry)
    const metrics = await registry.getMetricsAsJSON()
    const idle = metrics.map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, value: 0 })),
    }))
    expect(await lags(AggregatorRegistry.aggregate([idle, metrics, idle]))).to.deep.equal(late)
  })
})
