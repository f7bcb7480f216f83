import { parse as parseToml, TomlError } from 'smol-toml'
import { checkNames, RepeatedNameError, StrictJsonError } from '../../../hub/auth/ucan/strict-json.ts'
import { ConfigError } from './fault.ts'
import { isTree, openSection, type Setting, type Tree } from './setting.ts'

export type FileFormat = 'json' | 'toml'

/**
 * The settings in the text of a configuration file. `null` and the empty string count as not set, as Gaia's
 * sample files use them.
 * @throws {ConfigError} where the text is not valid, with its line but none of its content
 */
export function parseFile(text: string, format: FileFormat): Setting[] {
  const tree = format === 'json' ? parseJson(text) : parseTomlText(text)
  if (!isTree(tree)) throw fileError('the file must hold one object with keys')
  return leaves(tree, [])
}

function parseTomlText(text: string): unknown {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw fileError(`not valid TOML at line ${error.line}, column ${error.column}`)
  }
}

function parseJson(text: string): unknown {
  // Editors on Windows begin files with a byte order mark.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    const value: unknown = JSON.parse(json)
    checkNames(json)
    return value
  } catch (error) {
    if (error instanceof RepeatedNameError) {
      throw fileError(`${error.quoted} stands twice in one object, again at ${placeOf(json, error.offset)}`)
    }
    if (error instanceof StrictJsonError) throw fileError(`must be ${error.message}`)
    // The engine's own message quotes the text around the fault, which may be a secret.
    throw fileError(`not valid JSON at ${placeOf(json, validPrefixLength(json))}`)
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/** How much of a text could still be the beginning of JSON; engines differ in telling where they stopped. */
function validPrefixLength(text: string): number {
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (couldContinue(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

function couldContinue(prefix: string): boolean {
  try {
    JSON.parse(prefix)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (/end of JSON input|Unterminated string/.test(message)) return true
    const position = /at position (\d+)/.exec(message)?.[1]
    return position !== undefined && Number(position) >= prefix.length
  }
}

function fileError(problem: string): ConfigError {
  return new ConfigError([{ key: 'configuration file', problem, origin: { source: 'file', name: '' } }])
}

function leaves(tree: Tree, path: readonly string[]): Setting[] {
  return Object.entries(tree).flatMap(([key, value]): Setting[] => {
    const here = [...path, key]
    if (path[0] === openSection) return [settingOf(here, value)]
    if (value === null || value === '') return []
    if (isTree(value) && Object.keys(value).length > 0) return leaves(value, here)
    return [settingOf(here, value)]
  })
}

function settingOf(path: readonly string[], value: unknown): Setting {
  return { path, value, origin: { source: 'file', name: path.join('.') } }
}
