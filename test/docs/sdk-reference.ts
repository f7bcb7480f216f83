import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { checkout } from './markdown.ts'

/** Where the reference stands in docs/sdk.md. */
export const sdkReferenceHeading = '## Reference\n'

/** What applications import, and the declarations that the build makes of it. */
const entries = [
  { name: 'mandate/client', file: '../../client/index.d.ts' },
  { name: 'mandate/client/qr', file: '../../client/delegation/qr.d.ts' },
  { name: 'mandate/client/seal', file: '../../client/seal/index.d.ts' },
] as const

/** One thing that is exported, or a member of one, as the extractor tells it. */
interface Item {
  kind: string
  name: string
  docComment?: string
  excerptTokens?: Array<{ text: string }>
  fileUrlPath?: string
  members?: Item[]
  isProtected?: boolean
}

/** The part of docs/sdk.md that the docstrings say, as Markdown. */
export function sdkReference(): string {
  const known = new Set<string>()
  const parts = entries.map(({ name, file }) => entryText(name, extract(file), known))
  return ['Written from the docstrings (`npm run docs:sdk`).', ...parts].join('\n\n')
}

/** Everything that a file of declarations exports. */
function extract(file: string): Item[] {
  const folder = mkdtempSync(join(tmpdir(), 'mandate-api-'))
  try {
    const apiJsonFilePath = join(folder, 'client.api.json')
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: `${checkout}package.json`,
      configObject: configOf(fileURLToPath(new URL(file, import.meta.url)), apiJsonFilePath),
    })
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      // What it cannot make sense of is a failure, and told as one; the rest is noise.
      messageCallback: (message) => {
        message.handled = message.logLevel !== ExtractorLogLevel.Error
      },
    })
    if (!succeeded) throw new Error(`the declarations of ${file} could not be read`)
    const model = JSON.parse(readFileSync(apiJsonFilePath, 'utf8')) as { members: Item[] }
    return model.members[0]?.members ?? []
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function configOf(file: string, apiJsonFilePath: string) {
  const silent = { default: { logLevel: 'none' as ExtractorLogLevel } }
  return {
    projectFolder: checkout,
    mainEntryPointFilePath: file,
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'es2022',
          module: 'nodenext',
          moduleResolution: 'nodenext',
          lib: ['es2022', 'dom', 'dom.iterable'],
          types: [],
          strict: true,
          skipLibCheck: true,
          allowImportingTsExtensions: true,
          noEmit: true,
        },
        files: [file],
      },
    },
    apiReport: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    docModel: { enabled: true, apiJsonFilePath },
    messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
  }
}

/** @param known what was told of a former entry, which is not told again */
function entryText(name: string, items: readonly Item[], known: Set<string>): string {
  const fresh = items.filter((item) => !known.has(item.name))
  for (const item of fresh) known.add(item.name)
  const rooms = new Map<string, Item[]>()
  for (const item of fresh) {
    const room = roomOf(item)
    rooms.set(room, [...(rooms.get(room) ?? []), item])
  }
  const sections = [...rooms]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([room, ofRoom]) =>
      [`#### ${headings[room] ?? room}`, ...ofRoom.sort(byKind).map(itemText)].join('\n\n'),
    )
  return [`### ${name}`, ...sections].join('\n\n')
}

/** What the folders of the client are about. */
const headings: Record<string, string> = {
  '': 'Connecting',
  files: 'Files',
  signers: 'Signers',
  delegation: 'Delegations',
  grants: 'Grants and revocations',
  stacks: 'Files of `@stacks/storage`',
  transport: 'Underneath',
  seal: 'Keys and envelopes',
  'seal/files': 'Sealed files',
}

function rank(room: string): number {
  const place = Object.keys(headings).indexOf(room)
  return place === -1 ? Number.MAX_SAFE_INTEGER : place
}

function roomOf({ fileUrlPath = '' }: Item): string {
  const path = relative('client', fileUrlPath.replace(/^build[^/]*\//, ''))
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

const kinds = ['Function', 'Class', 'Variable', 'Interface', 'TypeAlias']

function byKind(a: Item, b: Item): number {
  return kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1)
}

function itemText(item: Item): string {
  const members = (item.members ?? []).filter(isTold)
  const signature = codeOf(item)
  const code = members.length === 0 ? signature : `${signature} { … }`
  const list = members.map(memberText).join('\n')
  return [`**${item.name}**`, `\`\`\`ts\n${code}\n\`\`\``, docText(item), list]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Applications make none of the errors, and an error's `name` is what it is called. */
function isTold({ kind, name, isProtected }: Item): boolean {
  return kind !== 'Constructor' && isProtected !== true && !(kind === 'Property' && name === 'name')
}

function memberText(member: Item): string {
  const doc = docText(member).replace(/\s*\n+\s*/g, ' ')
  return `- \`${codeOf(member).replace(/\s+/g, ' ')}\`${doc === '' ? '' : `: ${doc}`}`
}

function codeOf({ excerptTokens = [] }: Item): string {
  return excerptTokens
    .map(({ text }) => text)
    .join('')
    .replace(/^export (?:declare )?/, '')
    .replace(/^declare /, '')
    .trim()
    .replace(/;$/, '')
}

/** The text of a docstring as Markdown. */
function docText({ docComment = '' }: Item): string {
  const lines = docComment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
  return lines
    .join('\n')
    .replace(/\{@link ([^}|]+)(?:\|[^}]*)?\}/g, '`$1`')
    .replace(/@param (\S+) -\s*/g, '\n- `$1`: ')
    .replace(/@returns\s*/g, '\nReturns ')
    .replace(/@throws\s*/g, '\nThrows ')
    .replace(/@packageDocumentation/g, '')
    .replace(/`(\w+)` *\n/g, '`$1`\n')
    .replace(/Throws\s+\{([^}]+)\}/g, 'Throws `$1`')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
