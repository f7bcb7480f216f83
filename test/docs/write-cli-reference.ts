/** Writes the reference in docs/cli.md anew: `npm run docs:cli`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cliReference, referenceHeading } from './cli-reference.ts'
import { checkout } from './markdown.ts'

const file = `${checkout}docs/cli.md`
const [guide = ''] = readFileSync(file, 'utf8').split(referenceHeading)
writeFileSync(file, `${guide}${referenceHeading}\n${cliReference()}\n`)
