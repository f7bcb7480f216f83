import { loadStores, upload } from './load.ts'
import { bucketOf, makeOwner, v1Token } from './owner.ts'
import { type BenchServer, type Durability, startBare, startHub } from './servers.ts'
import { median, spread } from './statistics.ts'

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

/**
 * Stores and uploads beside the bare server of bare-server.ts, in turns, so that a machine whose speed drifts is as
 * fast for the one as for the other. @returns a Markdown table
 */
export async function measureWrites(rounds: number, seconds: number): Promise<string> {
  const rows: Row[] = []
  // New files first: ext4 makes them slowly for a minute after others were replaced.
  const cases: [string, string, Measure][] = [
    ['store 1 KiB, new files', 'req/s', smallStores],
    ['upload 100 MiB', 'MB/s', largeUpload],
    ['store 1 KiB over 64 files', 'req/s', overwrites],
  ]
  for (const [what, unit, measure] of cases) {
    for (const durability of ['fsync', 'none'] as const) {
      rows.push(await inTurns(`${what}, ${durability}`, unit, durability, measure, { rounds, seconds }))
    }
  }
  return table(rows)
}

type Measure = (server: BenchServer, seconds: number) => Promise<number>

async function inTurns(
  what: string,
  unit: string,
  durability: Durability,
  measure: Measure,
  { rounds, seconds }: { rounds: number; seconds: number },
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
  const token = v1Token(owner)
  return { Authorization: server.name === 'hub' ? `bearer ${token}` : 'none', 'Content-Type': 'text/plain' }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, unit, hub, bare, memory }) => {
    const ratio = median(hub.map((value, i) => value / (bare[i] ?? Number.NaN)))
    return `| ${what} | ${spread(hub)} ${unit} | ${spread(bare)} ${unit} | ${(ratio * 100).toFixed(0)} % | ${memory} |`
  })
  return [
    '| case | hub | bare Node server | ratio | peak MiB, hub / bare |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}
