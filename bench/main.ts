/**
 * Measures hubs in processes of their own and prints Markdown tables.
 *
 * Usage: node build/bench/main.js [--rounds N] [--seconds S] [--only writes|delegation|sealed|workers|overload|s3] [--write FILE]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureDelegation } from './delegation.ts'
import { measureOverload } from './overload.ts'
import { replaceSections, type Section } from './results.ts'
import { measureS3 } from './s3.ts'
import { measureSealed } from './sealed.ts'
import { removeBenchFolders } from './servers.ts'
import { measureWorkers } from './workers.ts'
import { measureWrites } from './writes.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    write: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
if (!Number.isInteger(rounds) || rounds < 1 || !(seconds > 0)) {
  throw new Error('--rounds and --seconds take positive numbers')
}

const sections = [
  { name: 'writes', title: 'Writes on the disk driver', measure: measureWrites },
  { name: 'delegation', title: 'Delegated writes', measure: measureDelegation },
  { name: 'sealed', title: 'Sealed files', measure: measureSealed },
  { name: 'workers', title: 'Two workers', measure: measureWorkers },
  { name: 'overload', title: 'Ten times too much', measure: measureOverload },
  { name: 's3', title: 'Writes on the S3 driver', measure: measureS3 },
].filter(({ name }) => values.only === undefined || values.only === name)
if (sections.length === 0) throw new Error('--only takes writes, delegation, sealed, workers, overload or s3')

const [cpu] = cpus()
const intro =
  '# Reference figures\n\n' +
  `Made by \`npm run bench\`: Node ${process.version}, ${cpu?.model ?? 'unknown processor'}, the server on one core and the ` +
  `load on the other, 32 connections, ${rounds} rounds of ${seconds} s each, the cases in turns. Given are the median and the ` +
  'range; a ratio is the median of the ratios of the rounds. Absolute figures are those of one machine, ratios travel.'
const measured: Section[] = []
try {
  for (const { title, measure } of sections) measured.push({ title, text: await measure(rounds, seconds) })
} finally {
  await removeBenchFolders()
}
process.stdout.write(replaceSections('', intro, measured))
if (values.write !== undefined) {
  // What was not measured now stays as it was measured.
  const former = values.only === undefined ? '' : await readText(values.write)
  await writeFile(values.write, replaceSections(former, intro, measured))
}

/** `''` where there is no such file. */
async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
