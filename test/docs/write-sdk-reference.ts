/** Writes the reference in docs/sdk.md anew: `npm run docs:sdk`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { checkout } from './markdown.ts'
import { sdkReference, sdkReferenceHeading } from './sdk-reference.ts'

const file = `${checkout}docs/sdk.md`
const [guide = ''] = readFileSync(file, 'utf8').split(sdkReferenceHeading)
writeFileSync(file, `${guide}${sdkReferenceHeading}\n${sdkReference()}\n`)
