import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The checkout: what is built lies one folder deep in it. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url))

/** Everything that users read. */
export const documents = [
  'README.md',
  'CHANGELOG.md',
  'docs/cli.md',
  'docs/configuration.md',
  'docs/delegation.md',
  'docs/drivers.md',
  'docs/operations.md',
  'docs/sdk.md',
  'docs/sealed-files.md',
  'docs/security.md',
  'docs/storage.md',
] as const

export type DocumentName = (typeof documents)[number]

export function readDocument(name: DocumentName): string {
  return readFileSync(`${checkout}${name}`, 'utf8')
}

export interface Block {
  /** What stands behind the fence: `sh`, `json`, … */
  language: string
  /** What follows the language there. */
  info: string
  text: string
  /** Of the opening fence, from 1. */
  line: number
}

/** Within a list a block is indented, all of its lines alike. */
const fence = /^( *)```(\S*)[ ]*(.*)\n([\s\S]*?)^\1```$/gm

/** The fenced blocks of a document, in order. */
export function blocksOf(name: DocumentName): Block[] {
  const markdown = readDocument(name)
  return [...markdown.matchAll(fence)].map(
    ({ 1: indent = '', 2: language = '', 3: info = '', 4: text = '', index }) => ({
      language,
      info,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: markdown.slice(0, index).split('\n').length,
    }),
  )
}

/** The rows of every table of a text, without heads and rules; cells are trimmed. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n')
  const isRow = (line: string | undefined) => line?.startsWith('|') === true
  return lines
    .filter((line, i) => isRow(line) && !isRule(line) && !isRule(lines[i + 1] ?? ''))
    .map((line) => cells(line))
}

function isRule(line: string): boolean {
  return /^\|[\s:|-]+\|$/.test(line)
}

/** Bars, and what would begin a tag, are escaped within a cell. */
function cells(row: string): string[] {
  return row
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\\([|<])/g, '$1'))
}
