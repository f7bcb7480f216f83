import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Bin, endBins, runBin } from '../deploy/bins.ts'
import { expectShellExamples } from './examples.ts'
import { blocksOf, checkout, documents, readDocument } from './markdown.ts'
import { beginStage } from './stage.ts'

interface Package {
  scripts: Record<string, string>
  bin: Record<string, string>
  devDependencies: Record<string, string>
  engines: { node: string }
}

const { scripts, bin, devDependencies, engines } = JSON.parse(
  readFileSync(`${checkout}package.json`, 'utf8'),
) as Package

describe('README.md', function () {
  // A dozen programs, one after the other.
  this.timeout(60_000)
  afterEach(endBins)

  it('begins with examples that print what stands below them', async () => {
    await expectShellExamples('README.md', await beginStage())
  })

  it('leads from a fresh checkout to a delegated write in six commands', () => {
    const shell = blocksOf('README.md').filter(({ language }) => language === 'sh')
    const start = shell.find(({ text }) => text.includes('npm start'))
    const write = shell.find(({ text }) => text.includes('mandate delegate'))
    const commands = [start, write].flatMap((block) => block?.text.trim().split('\n') ?? [])
    expect(commands[0]).to.equal('npm ci && npm start')
    expect(commands.at(-1)).to.match(/\| npx mandate put .* --as bob$/)
    expect(commands).to.have.lengthOf.at.most(6)
  })

  it('names the oldest Node that the package takes', () => {
    expect(readDocument('README.md')).to.include(
      `Node ${engines.node.replace(/^>=(\d+\.\d+)\.0$/, '$1')} or later`,
    )
  })
})

describe('every document', () => {
  afterEach(endBins)

  for (const name of documents) {
    it(`links to what is there: ${name}`, () => {
      const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/') + 1) : ''
      const links = [...readDocument(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
      for (const link of links.filter((target) => !/^https?:/.test(target))) {
        const { pathname, hash } = new URL(link, `file://${checkout}${folder}${name.slice(folder.length)}`)
        expect(existsSync(pathname), link).to.equal(true)
        if (hash !== '') expect(anchorsOf(pathname), link).to.include(hash.slice(1))
      }
    })

    it(`names commands that are there: ${name}`, () => {
      const shell = blocksOf(name).filter(({ language }) => language === 'sh')
      const text = `${shell.map((block) => block.text).join('\n')}\n${inlineCode(readDocument(name))}`
      for (const [, script = ''] of text.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w:-]+)/g)) {
        expect(Object.keys(scripts)).to.include(script)
      }
      for (const [, command = ''] of text.matchAll(/\bnpx (\S+)/g))
        expect([...Object.keys(bin), ...Object.keys(devDependencies)]).to.include(command)
    })

    it(`names flags that are there: ${name}`, async () => {
      const shell = blocksOf(name).filter(({ language }) => language === 'sh')
      for (const { text } of shell) {
        for (const [call, command = '', job = ''] of text.matchAll(/^npx (mandate-\w+)(?: (sweep))?.*$/gm)) {
          const args = [...(job === '' ? [] : [job]), '--help']
          const { stdout } = await runBin(command as Bin, { args })
          for (const [flag] of call.matchAll(/--[\w-]+/g)) expect(stdout, call).to.include(`\n  ${flag} `)
        }
      }
    })
  }
})

function inlineCode(markdown: string): string {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code).join('\n')
}

/** The names that a host of such documents gives to headings. */
function anchorsOf(file: string): string[] {
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
