/**
 * Measures the hub against the bare server of bare-server.ts, in turns so that a machine whose speed drifts is as
 * fast for the one as for the other, and prints a Markdown table.
 *
 * Usage: node build/bench/main.js [--rounds N] [--seconds S]
 */
import { parseArgs } from 'node:util'
import { loadStores, upload } from './load.ts'
import { bucketOf, makeOwner, v1Token } from './owner.ts'
import { type BenchServer, type Durability, startBare, startHub } from './servers.ts'
import { median, spread } from './statistics.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
if (!Number.isInteger(rounds) || rounds < 1 || !(seconds > 0)) {
  throw new Error('--rounds and --seconds take positive numbers')
}

/** One line of the table. */
interface Row {
  what: string
  unit: string
  hub: number[]
  bare: number[]
  memory: string
}

const owner = makeOwner()
const body = Buffer.alloc(1024, 'x')
const chunk = Buffer.alloc(1024 * 1024, 'x')

/** Names of new files. */
let files = 0

const rows: Row[] = []
for (const durability of ['fsync', 'none'] as const) {
  rows.push(
    await inTurns(
      `store 1 KiB, new files, one token, 32 connections, ${durability}`,
      'req/s',
      durability,
      smallStores,
    ),
  )
  rows.push(
    await inTurns(
      `store 1 KiB over 64 files, one token, 32 connections, ${durability}`,
      'req/s',
      durability,
      overwrites,
    ),
  )
  rows.push(await inTurns(`upload 100 MiB, ${durability}`, 'MB/s', durability, largeUpload))
}
print(rows)

async function inTurns(
  what: string,
  unit: string,
  durability: Durability,
  measure: (server: BenchServer, seconds: number) => Promise<number>,
): Promise<Row> {
  const hub = await startHub(durability)
  const bare = await startBare(durability)
  const row: Row = { what, unit, hub: [], bare: [], memory: '' }
  try {
    // A fresh process is half as fast as a warm one.
    await measure(hub, Math.min(seconds, 3))
    await measure(bare, Math.min(seconds, 3))
    for (let round = 0; round < rounds; round++) {
      row.hub.push(await measure(hub, seconds))
      row.bare.push(await measure(bare, seconds))
      process.stderr.write(
        `${what}: hub ${row.hub.at(-1)?.toFixed(0)}, bare ${row.bare.at(-1)?.toFixed(0)} ${unit}\n`,
      )
    }
    const [hubMib, bareMib] = [await hub.peakMemoryMib(), await bare.peakMemoryMib()]
    row.memory = `${hubMib?.toFixed(0) ?? '?'} / ${bareMib?.toFixed(0) ?? '?'}`
  } finally {
    await Promise.all([hub.stop(), bare.stop()])
  }
  return row
}

async function smallStores(server: BenchServer, runSeconds: number): Promise<number> {
  return storesPerSecond(server, runSeconds, () => `new-${files++}`)
}

async function overwrites(server: BenchServer, runSeconds: number): Promise<number> {
  return storesPerSecond(server, runSeconds, (n) => `file-${n % 64}`)
}

async function storesPerSecond(
  server: BenchServer,
  runSeconds: number,
  name: (n: number) => string,
): Promise<number> {
  const headers = await storeHeaders(server)
  const result = await loadStores({
    url: server.url,
    path: (n) => `/store/${bucketOf(owner)}/${name(n)}`,
    headers: () => headers,
    body,
    connections: 32,
    seconds: runSeconds,
  })
  return result.requestsPerSecond
}

async function largeUpload(server: BenchServer): Promise<number> {
  return upload(
    `${server.url}/store/${bucketOf(owner)}/large-${files++ % 2}`,
    await storeHeaders(server),
    chunk,
    100,
  )
}

async function storeHeaders(server: BenchServer): Promise<Record<string, string>> {
  const token = await v1Token(owner)
  return { Authorization: server.name === 'hub' ? `bearer ${token}` : 'none', 'Content-Type': 'text/plain' }
}

function print(table: Row[]): void {
  const lines = table.map(
    ({ what, unit, hub, bare, memory }) =>
      `| ${what} | ${spread(hub)} ${unit} | ${spread(bare)} ${unit} | ${(median(hub.map((value, i) => value / (bare[i] ?? Number.NaN))) * 100).toFixed(0)} % | ${memory} |`,
  )
  process.stdout.write(
    `Node ${process.version}, ${rounds} rounds of ${seconds} s in turns; median (range); the ratio is the median of the rounds' ratios.\n\n` +
      '| case | hub | bare Node server | ratio | peak MiB, hub / bare |\n| --- | --- | --- | --- | --- |\n' +
      `${lines.join('\n')}\n`,
  )
}
