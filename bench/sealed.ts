import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startServe } from './servers.ts'
import { median, spread } from './statistics.ts'
import type { Transfer } from './transfer.ts'

const bytes = 1024 * 1024 * 1024

const kinds = ['plain', 'sealed'] as const

/**
 * 1 GiB stored and read as a stream by the SDK, plain and sealed in turns, each in a process of its own beside hub and
 * reader. @returns a Markdown table
 */
export async function measureSealed(rounds: number): Promise<string> {
  const runs: Record<(typeof kinds)[number], Transfer[]> = { plain: [], sealed: [] }
  for (let round = 0; round < rounds; round++) {
    // Anew each time: gigabytes must not gather on the disk.
    const server = await startServe()
    try {
      for (const kind of kinds) {
        const transfer = await run(server.url, kind)
        runs[kind].push(transfer)
        process.stderr.write(`${kind}: ${transfer.up.toFixed(0)} MB/s up, ${transfer.down.toFixed(0)} down\n`)
      }
    } finally {
      await server.stop()
    }
  }
  return table(runs)
}

async function run(hub: string, kind: string): Promise<Transfer> {
  const script = fileURLToPath(new URL('./transfer.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, hub, String(bytes), kind])
  return JSON.parse(stdout) as Transfer
}

function table({ plain, sealed }: Record<(typeof kinds)[number], Transfer[]>): string {
  const line = (name: string, way: 'up' | 'down') => {
    const ratio = median(sealed.map((run, i) => run[way] / (plain[i]?.[way] ?? Number.NaN)))
    const rates = [plain, sealed].map((runs) => `${spread(runs.map((run) => run[way]))} MB/s`)
    return `| ${name} | ${rates.join(' | ')} | ${(ratio * 100).toFixed(0)} % |`
  }
  const peaks = [plain, sealed].map((runs) => Math.max(...runs.map(({ peakMib }) => peakMib ?? Number.NaN)))
  return [
    '| 1 GiB | plain | sealed | ratio |',
    '| --- | --- | --- | --- |',
    line('stored', 'up'),
    line('read', 'down'),
    `| peak MiB of the client | ${peaks.map((peak) => peak.toFixed(0)).join(' | ')} | |`,
    '',
  ].join('\n')
}
