import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { endBins } from '../deploy/bins.ts'
import { expectScriptExamples, expectShellExamples } from './examples.ts'
import { blocksOf, checkout } from './markdown.ts'
import { beginStage } from './stage.ts'

describe('docs/delegation.md', function () {
  // A dozen programs, one after the other.
  this.timeout(60_000)
  afterEach(endBins)

  it('tells a story by shell in which every command prints what stands below it', async () => {
    await expectShellExamples('docs/delegation.md', await beginStage())
  })

  it('holds scripts that print what stands below them', async () => {
    await expectScriptExamples('docs/delegation.md', await beginStage())
  })

  it('quotes client/examples/delegation.ts as it is', () => {
    const example = readFileSync(`${checkout}client/examples/delegation.ts`, 'utf8')
    const quotes = blocksOf('docs/delegation.md').filter(({ language }) => language === 'ts')
    expect(quotes).not.to.have.lengthOf(0)
    for (const { text } of quotes) expect(example).to.include(text)
  })
})
