import { expect } from 'chai'
import { endBins } from '../deploy/bins.ts'
import { cliReference, documentedProgram, referenceHeading } from './cli-reference.ts'
import { expectShellExamples } from './examples.ts'
import { readDocument } from './markdown.ts'
import { beginStage } from './stage.ts'

describe('docs/cli.md', function () {
  // Four dozen programs, one after the other.
  this.timeout(90_000)
  afterEach(endBins)

  it('holds the reference that the program itself gives (npm run docs:cli)', () => {
    const [, reference = ''] = readDocument('docs/cli.md').split(referenceHeading)
    expect(reference.trim()).to.equal(cliReference())
  })

  it('begins with examples that print what stands below them', async () => {
    await expectShellExamples('docs/cli.md', await beginStage())
  })

  it('names options that are there', () => {
    const [guide = ''] = readDocument('docs/cli.md').split(referenceHeading)
    const commands = documentedProgram().commands.flatMap((command) => [command, ...command.commands])
    const options = [documentedProgram(), ...commands].flatMap((command) => command.options)
    const known = new Set([...options.map(({ long }) => long), '--help'])
    const named = [...guide.matchAll(/(?<=[ `])--[a-z][a-z-]+/g)].map(([option]) => option)
    expect(named).not.to.have.lengthOf(0)
    for (const option of named) expect(known, option).to.include(option)
  })
})
