/**
 * Measures hubs in processes of their own and prints Markdown tables.
 *
 * Usage: node build/bench/main.js [--rounds N] [--seconds S] [--only writes|delegation|overload] [--write FILE]
 */
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureDelegation } from './delegation.ts'
import { measureOverload } from './overload.ts'
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
  { name: 'overload', title: 'Ten times too much', measure: measureOverload },
].filter(({ name }) => values.only === undefined || values.only === name)
if (sections.length === 0) throw new Error('--only takes writes, delegation or overload')

const [cpu] = cpus()
const parts = [
  '# Reference figures',
  `Made by \`npm run bench\`: Node ${process.version}, ${cpu?.model ?? 'unknown processor'}, the server on one core and the ` +
    `load on the other, 32 connections, ${rounds} rounds of ${seconds} s each, the cases in turns. Given are the median and the ` +
    'range; a ratio is the median of the ratios of the rounds. Absolute figures are those of one machine, ratios travel.',
]
for (const { title, measure } of sections) parts.push(`## ${title}`, await measure(rounds, seconds))
const text = `${parts.join('\n\n').trimEnd()}\n`
process.stdout.write(text)
if (values.write !== undefined) await writeFile(values.write, text)
