import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { checkout, readDocument } from './markdown.ts'

/** One test that the document names. */
interface Reference {
  file: string
  title: string
}

const references = readReferences(readDocument('docs/security.md').replaceAll(/\s+/g, ' '))

describe('docs/security.md', () => {
  it('names tests', () => {
    expect(references.length).to.be.greaterThan(50)
  })

  for (const { file, title } of references) {
    it(`names a test that is there: ${file} “${title}”`, () => {
      const path = `${checkout}${file}`
      expect(existsSync(path), file).to.equal(true)
      expect(readFileSync(path, 'utf8'), file).to.include(title)
    })
  }

  it('backs every part on who can do what with tests', () => {
    const parts = readDocument('docs/security.md').split(/^##+ /m).slice(1)
    const unbacked = parts.filter((part) => part.includes('\n|') && readReferences(part).length === 0)
    expect(unbacked.map((part) => part.split('\n')[0])).to.deep.equal([])
  })
})

/** `file` “title” “title” … */
function readReferences(text: string): Reference[] {
  return [...text.matchAll(/`(test\/[\w./-]+)`((?:\s*“[^”]+”)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  )
}
