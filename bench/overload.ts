import { setTimeout as sleep } from 'node:timers/promises'
import { loadStores } from './load.ts'
import { loadOpen, type OpenLoadResult } from './open-load.ts'
import { bucketOf, makeOwner, v1Token } from './owner.ts'
import { type BenchServer, startHub } from './servers.ts'
import { storeRequest } from './store-request.ts'

const owner = makeOwner()
const body = Buffer.alloc(1024, 'x')

/** Connections from which the load comes. */
const maxConnections = 1_500

/**
 * Ten times as many stores of 1 KiB as the hub can do, from clients that do not wait for each other: how quickly it
 * turns away what it cannot do, what it needs of memory, and when it is itself again. @returns a Markdown table
 */
export async function measureOverload(_rounds: number, seconds: number): Promise<string> {
  const hub = await startHub('fsync', { anyCore: true })
  try {
    await sustainable(hub, 3)
    const rate = await sustainable(hub, seconds)
    const calmMib = await hub.peakMemoryMib()
    const token = v1Token(owner)
    const result = await loadOpen({
      port: Number(new URL(hub.url).port),
      request: (n) => storeRequest(bucketOf(owner), `storm-${n}`, token),
      requestsPerSecond: rate * 10,
      seconds: seconds * 2,
      maxConnections,
    })
    const recoveryMs = await untilQuick(hub)
    return table({
      rate,
      result,
      seconds: seconds * 2,
      recoveryMs,
      calmMib,
      peakMib: await hub.peakMemoryMib(),
    })
  } finally {
    await hub.stop()
  }
}

async function sustainable(hub: BenchServer, seconds: number): Promise<number> {
  const headers = { Authorization: `bearer ${v1Token(owner)}`, 'Content-Type': 'text/plain' }
  const { requestsPerSecond } = await loadStores({
    url: hub.url,
    path: (n) => `/store/${bucketOf(owner)}/calm-${n}`,
    headers: () => headers,
    body,
    connections: 32,
    seconds,
  })
  return requestsPerSecond
}

/** Milliseconds until a store is answered 202 within 50 ms; gives up after 10 s. */
async function untilQuick(hub: BenchServer): Promise<number> {
  const began = performance.now()
  const headers = { Authorization: `bearer ${v1Token(owner)}`, 'Content-Type': 'text/plain' }
  while (performance.now() - began < 10_000) {
    const sentMs = performance.now()
    const answer = await fetch(`${hub.url}/store/${bucketOf(owner)}/after`, { method: 'POST', headers, body })
    await answer.arrayBuffer()
    if (answer.status === 202 && performance.now() - sentMs < 50) return performance.now() - began
    await sleep(20)
  }
  return Number.POSITIVE_INFINITY
}

interface Figures {
  rate: number
  result: OpenLoadResult
  seconds: number
  recoveryMs: number
  calmMib: number | null
  peakMib: number | null
}

function table({
  rate,
  result: { outcomes, leftOut },
  seconds,
  recoveryMs,
  calmMib,
  peakMib,
}: Figures): string {
  const done = outcomes.filter(({ status }) => status === 202)
  const refused = outcomes.filter(({ status }) => status === 429 || status === 503)
  const known = refused.filter(({ isFirst }) => !isFirst)
  const others = outcomes.length - done.length - refused.length
  const rows = [
    ['stores a second that it can do', rate.toFixed(0)],
    ['requests a second that came', (outcomes.length / seconds).toFixed(0)],
    ['left out, since all connections waited', `${leftOut}`],
    ['stored, a second', (done.length / seconds).toFixed(0)],
    ['time of a store: median, 99 %', `${quantile(done, 0.5)} / ${quantile(done, 0.99)} ms`],
    ['turned away, a second', (refused.length / seconds).toFixed(0)],
    ['time of a refusal: median, 99 %', `${quantile(refused, 0.5)} / ${quantile(refused, 0.99)} ms`],
    [
      'the same on connections that were there',
      `${quantile(known, 0.5)} / ${quantile(known, 0.99)} ms, of ${known.length} in ${refused.length}`,
    ],
    ['other answers, broken connections', `${others}`],
    ['peak MiB before / in all', `${calmMib?.toFixed(0) ?? '?'} / ${peakMib?.toFixed(0) ?? '?'}`],
    ['itself again 2 s after the end, within', `${recoveryMs.toFixed(0)} ms`],
  ]
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`), ''].join('\n')
}

function quantile(outcomes: OpenLoadResult['outcomes'], part: number): string {
  const times = outcomes.map(({ ms }) => ms).sort((a, b) => a - b)
  return times[Math.min(times.length - 1, Math.floor(times.length * part))]?.toFixed(0) ?? '–'
}
