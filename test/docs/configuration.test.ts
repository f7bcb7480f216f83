import { expect } from 'chai'
import { describeKeys } from '../../deploy/process/config/describe.ts'
import type { FileFormat } from '../../deploy/process/config/parse-file.ts'
import type { Kind } from '../../deploy/process/config/schema.ts'
import { placeSettings } from '../../deploy/process/config/setting.ts'
import { flagName, type SourceRow, sourceRows } from '../../deploy/process/config/sources.ts'
import { builtDrivers } from '../../deploy/process/config/values.ts'
import { configure } from '../deploy/configure.ts'
import { blocksOf, readDocument, tableRows } from './markdown.ts'

const kinds: readonly Kind[] = ['hub', 'reader', 'both']

describe('docs/configuration.md', () => {
  it('has one row for each key, with variable, flag, default and what is allowed, as the schema says', () => {
    const section = readDocument('docs/configuration.md').split('\n## Every key\n')[1]?.split('\n## ')[0]
    expect(tableRows(section ?? '')).to.deep.equal(describeKeys().map(expectedRow))
  })

  for (const { language, info, text, line } of blocksOf('docs/configuration.md')) {
    if (language !== 'json' && language !== 'toml') continue
    it(`shows a file that is taken as it stands: line ${line}`, () => {
      const kind = kinds.find((name) => name === info)
      if (kind === undefined) throw new Error(`line ${line} says not for which command its example is`)
      const { warnings } = configure({ file: text, format: language satisfies FileFormat, kind })
      const told = readDocument('docs/configuration.md')
      for (const warning of warnings) expect(told).to.include(`warning: ${warning}`)
    })
  }

  it('names the drivers that this version has', () => {
    const built = /This version has the drivers? ([^.]*)\./.exec(readDocument('docs/configuration.md'))?.[1]
    const named = [...(built ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)
    expect(named).to.have.members(builtDrivers)
  })
})

function expectedRow({
  key,
  default: standard,
  allowed,
  description,
}: ReturnType<typeof describeKeys>[number]) {
  const sources = sourceRows.filter((row) => kinds.some((kind) => placedKeys(row, kind).includes(key)))
  return [
    code(key),
    sources.map(({ env }) => code(env)).join(', '),
    sources.flatMap(({ flag }) => (flag === undefined ? [] : [code(flagName(flag))])).join(', '),
    standard === null ? 'none' : code(JSON.stringify(standard)),
    allowed,
    description,
  ]
}

function placedKeys(row: SourceRow, kind: Kind): string[] {
  const setting = { path: row.key.split('.'), value: '', origin: { source: 'default', name: '' } } as const
  return placeSettings([setting], kind).map(({ path }) => path.join('.'))
}

function code(text: string): string {
  return `\`${text}\``
}
