import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { S3Server } from '../test/servers/ceph.ts'
import { clientOf } from '../test/servers/s3-bucket.ts'
import type { WriterJob, WriterPlace } from './s3-jobs.ts'
import { median, spread } from './statistics.ts'

const kibi = 1024
const mebi = 1024 * kibi

interface Case extends Omit<WriterJob, 'seconds'> {
  name: string
}

const small = { bytes: kibi, isSizeKnown: true, connections: 32, isOverwrite: false, isConditional: false }
const large = { bytes: 64 * mebi, isSizeKnown: true, isOverwrite: true }

const cases: readonly Case[] = [
  { ...small, name: '1 KiB, new objects' },
  { ...small, name: '1 KiB, each under the etag of the one before', isOverwrite: true, isConditional: true },
  ...[1, 4].flatMap((connections) => [
    { ...large, connections, name: '64 MiB', isConditional: false },
    { ...large, connections, name: '64 MiB, each under the etag of the one before', isConditional: true },
    { ...large, connections, name: '64 MiB, size not announced', isConditional: false, isSizeKnown: false },
  ]),
]

interface Row {
  readonly subject: Case
  readonly driver: number[]
  readonly sdk: number[]
  memory: string
}

/**
 * Writes by the S3 driver beside the SDK alone, which puts the same objects to the same server, in turns.
 * @returns a Markdown table
 */
export async function measureS3(rounds: number, seconds: number): Promise<string> {
  const server = await startServer()
  try {
    const rows: Row[] = []
    for (const subject of cases) rows.push(await inTurns(server.place, subject, rounds, seconds))
    return `${intro(rounds, seconds)}\n\n${table(rows)}`
  } finally {
    server.end()
  }
}

async function inTurns(place: WriterPlace, subject: Case, rounds: number, seconds: number): Promise<Row> {
  const row: Row = { subject, driver: [], sdk: [], memory: '' }
  const writers = { driver: await startWriter('driver', place), sdk: await startWriter('sdk', place) }
  try {
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const kinds = round % 2 === 0 ? (['driver', 'sdk'] as const) : (['sdk', 'driver'] as const)
      for (const kind of kinds) {
        const rate = await writers[kind].run({ ...subject, seconds })
        if (round > 0) row[kind].push(rate)
      }
      const told = `${subject.name}, ${subject.connections} connections`
      process.stderr.write(`${told}: driver ${last(row.driver)}, SDK ${last(row.sdk)} objects/s\n`)
    }
    row.memory = `${await writers.driver.peakMemoryMib()} / ${await writers.sdk.peakMemoryMib()}`
  } finally {
    writers.driver.end()
    writers.sdk.end()
  }
  return row
}

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** The server has the first core for itself where `taskset` is there, and who writes the second. */
function spawnOn(core: number, args: string[], stdio: ('pipe' | 'ignore' | 'inherit' | 'ipc')[]) {
  // Versions that are overwritten must not fill the server's memory.
  const options = { stdio, env: { ...process.env, CEPH_GC_SECONDS: '1', NODE_NO_WARNINGS: '1' } }
  const node = process.execPath
  return process.env.MANDATE_BENCH_PIN === 'none'
    ? spawn(node, args, options)
    : spawn('taskset', ['-c', String(core), node, ...args], options)
}

async function startServer(): Promise<{ place: WriterPlace; end(): void }> {
  const child = spawnOn(0, [script('./s3-server.js')], ['pipe', 'pipe', 'inherit'])
  const told = await firstLine(child)
  const server = JSON.parse(told) as S3Server
  const bucket = 'bench'
  const client = clientOf(server)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  const { endpoint, accessKeyId, secretAccessKey } = server
  const place = { endpoint, bucket, credentials: { accessKeyId, secretAccessKey } }
  return { place, end: () => void child.stdin?.end() }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('nothing to read')
  for await (const line of createInterface(stdout)) return line
  throw new Error('the S3 server did not start')
}

async function startWriter(kind: 'driver' | 'sdk', place: WriterPlace) {
  const child = spawnOn(1, [script('./s3-writer.js'), kind], ['ignore', 'inherit', 'inherit', 'ipc'])
  const ask = async (message: WriterPlace | WriterJob): Promise<number> => {
    const gone = once(child, 'exit').then(([status]) => {
      throw new Error(`the writer ended with ${String(status)}`)
    })
    gone.catch(() => undefined)
    child.send(message)
    const [rate] = (await Promise.race([once(child, 'message'), gone])) as [number]
    return rate
  }
  await ask(place)
  return {
    run: ask,
    async peakMemoryMib(): Promise<string> {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
      const kib = /VmHWM:\s+(\d+) kB/.exec(status)?.[1]
      return kib === undefined ? '?' : (Number(kib) / kibi).toFixed(0)
    },
    end: () => child.disconnect(),
  }
}

function last(values: readonly number[]): string {
  return values.at(-1)?.toFixed(1) ?? 'warming up'
}

function intro(rounds: number, seconds: number): string {
  return (
    `Made by \`npm run bench -- --only s3\`: Node ${process.version}, a Ceph gateway with its storage in memory on one core and ` +
    `who writes on the other, ${rounds} rounds of at least ${seconds} s each, driver and SDK in turns. The SDK alone has small ` +
    'bodies whole and large ones as a stream of known length, which it does fastest; the driver has streams. A row of the ' +
    'driver under a condition has the same condition in the SDK.'
  )
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ subject: { name, bytes, connections }, driver, sdk, memory }) => {
    const isSmall = bytes < mebi
    const shown = (rates: number[]) =>
      `${spread(isSmall ? rates : rates.map((rate) => (rate * bytes) / 1e6))} ${isSmall ? 'req/s' : 'MB/s'}`
    const ratio = median(driver.map((rate, i) => rate / (sdk[i] ?? Number.NaN)))
    return `| ${name} | ${connections} | ${shown(driver)} | ${shown(sdk)} | ${(ratio * 100).toFixed(0)} % | ${memory} |`
  })
  return [
    '| objects | connections | S3 driver | SDK alone | ratio | peak MiB, driver / SDK |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}
