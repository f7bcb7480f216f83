import { nodeAt, typeOf } from './describe.ts'
import type { Fault } from './fault.ts'
import { isTree, placeSettings, type Setting } from './setting.ts'
import { flagName, type SourceRow, sourceRows } from './sources.ts'
import { suggest } from './suggest.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** Variables of Gaia's for keys that Mandate lacks; gaia.ts says what becomes of them. */
const lackingKeys = ['acmeConfig']

export interface EnvSettings {
  settings: Setting[]
  warnings: string[]
  faults: Fault[]
}

/** The settings in environment variables; an empty one counts as not set, as in Gaia. */
export function readEnv(env: Env): EnvSettings {
  const settings = sourceRows.flatMap((row) => {
    const text = env[row.env]
    return text === undefined || text === '' ? [] : textSettings(row, text, row.env, 'environment')
  })
  const read: EnvSettings = { settings, warnings: [], faults: [] }
  for (const [name, text] of Object.entries(env)) noteOther(read, name, text)
  return read
}

/** What flags say. `values` has the text of each flag by its long name, `--data` for instance. */
export function readFlags(values: ReadonlyMap<string, string>): Setting[] {
  return sourceRows.flatMap((row) => {
    const name = row.flag === undefined ? undefined : flagName(row.flag)
    const text = name === undefined ? undefined : values.get(name)
    return name === undefined || text === undefined ? [] : textSettings(row, text, name, 'command line')
  })
}

/** One, but for a section, of which each member is a setting: others of the file stay. */
function textSettings(
  row: SourceRow,
  text: string,
  name: string,
  source: 'environment' | 'command line',
): Setting[] {
  const path = row.key.split('.')
  const value = fromText(path, text)
  const origin = { source, name }
  if (!isTree(value)) return [{ path, value, origin }]
  return Object.entries(value).map(([key, member]) => ({ path: [...path, key], value: member, origin }))
}

/** Text as the type of its key; text that is not of that type stays text, which the schema then refuses. */
function fromText(path: readonly string[], text: string): unknown {
  const [placed] = placeSettings([{ path, value: text, origin: { source: 'default', name: '' } }], 'both')
  switch (typeOf(nodeAt(placed?.path ?? path))) {
    case 'integer':
    case 'number':
      return /^[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text) ? Number(text) : text
    case 'boolean':
      // Gaia reads this variable as a number.
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
    case 'array':
      return text.split(',').map((entry) => entry.trim())
    case 'object':
      return fromJson(text)
    default:
      return text
  }
}

/** Text that is no JSON stays text, and so at fault. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A variable that looks like one of ours and is none: a slip in GAIA_WHITELIST must not open the hub. */
function noteOther(read: EnvSettings, name: string, text: string | undefined): void {
  if (!/^(GAIA|MANDATE)_/.test(name) || text === undefined || text === '') return
  if (sourceRows.some((row) => row.env === name)) return
  const origin = { source: 'environment', name } as const
  const lacking = lackingKeys.find((key) => name.startsWith(`GAIA_${upperSnake(key)}`))
  const nearest = suggest(
    name,
    sourceRows.map((row) => row.env),
  )
  if (lacking !== undefined) read.settings.push({ path: [lacking], value: text, origin })
  else if (nearest === undefined) read.warnings.push(`not used: the environment variable ${name} (not known)`)
  else read.faults.push({ key: name, problem: `not known; did you mean ${nearest}?`, origin })
}

function upperSnake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
