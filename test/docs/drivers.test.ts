import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import * as drivers from '../../drivers/index.ts'
import { endBins } from '../deploy/bins.ts'
import { expectScriptExamples, expectShellExamples } from './examples.ts'
import { checkout, readDocument } from './markdown.ts'
import { beginStage, type Stage } from './stage.ts'

const document = readDocument('docs/drivers.md')

/** Text without the differences that do not matter. */
function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** The checkout is no package that is installed, so what imports it by name finds it in the build. */
function withBuild(stage: Stage): Stage {
  return {
    ...stage,
    run: (command, input) =>
      stage.run(command, input.replaceAll("'mandate/drivers'", "'./build/drivers/index.js'")),
  }
}

describe('docs/drivers.md', function () {
  this.timeout(60_000)
  afterEach(endBins)

  it('holds examples that print what stands below them', async () => {
    const stage = withBuild(await beginStage())
    await expectShellExamples('docs/drivers.md', stage)
    await expectScriptExamples('docs/drivers.md', stage)
  })

  it('shows pieces of the example as they are', () => {
    const files = ['drivers/example-plugin/index.ts', 'test/drivers/example-plugin.test.ts']
    const source = squeeze(files.map((file) => readFileSync(join(checkout, file), 'utf8')).join('\n'))
    const pieces = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = '']) => squeeze(text))
    expect(pieces).to.have.length(3)
    for (const piece of pieces) expect(source.includes(piece), piece).to.equal(true)
  })

  it('names helpers that there are', () => {
    const table = document.slice(document.indexOf('| helper'), document.indexOf('## The example'))
    const names = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    )
    expect(names).to.have.length.above(10)
    for (const name of [...names, 'loadPlugin', 'DriverError']) {
      expect(Reflect.get(drivers, name), name).to.be.a('function')
    }
  })

  it('names every method of the contract', () => {
    const contract = readFileSync(join(checkout, 'drivers/driver.ts'), 'utf8')
    const text = contract.slice(contract.indexOf('export interface Driver {'))
    const methods = [...text.matchAll(/^ {2}(\w+)\(/gm)].map(([, name = '']) => name)
    expect(methods).to.have.length.above(8)
    for (const method of methods) expect(document).to.include(`| \`${method}\` |`)
  })

  it('names every option of the suite', () => {
    const harness = readFileSync(join(checkout, 'drivers/conformance/harness.ts'), 'utf8')
    const [, text = ''] = /interface ConformanceOptions \{([\s\S]*?)^\}/m.exec(harness) ?? []
    const options = [...text.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name = '']) => name)
    expect(options).to.have.length.above(3)
    for (const option of options) expect(document).to.include(`| \`${option}`)
  })

  it('points at files that there are', () => {
    const targets = [...document.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target)
    expect(targets).to.have.length.above(5)
    for (const target of targets) expect(existsSync(join(checkout, 'docs', target)), target).to.equal(true)
  })
})
