import { describeKeys } from './config/describe.ts'
import type { Kind } from './config/schema.ts'
import { placeSettings } from './config/setting.ts'
import { type SourceRow, sourceRows } from './config/sources.ts'

/** Lines of `--help` below the options: every key, with its variable, default and range. */
export function keysHelp(kind: Kind): string {
  const keys = describeKeys().filter(({ path }) => kind === 'both' || concerns(kind, path[0]))
  const blocks = keys.map(({ key, description, allowed, default: standard }) => {
    const variable = sourceRows.find((row) => placedKey(row, kind).includes(key))?.env
    const notes = [allowed, `default ${defaultText(standard)}`, ...(variable === undefined ? [] : [variable])]
    return `  ${key}\n      ${description}\n      (${notes.join('; ')})`
  })
  return [
    '',
    'Keys of the configuration file (JSON or TOML), with what is allowed, the default and the environment variable.',
    'Keys of hub and reader may stand at the top of a file too, so that files of Gaia can be used as they are.',
    '',
    ...blocks,
    '',
    'Defaults give way to the file, the file to environment variables, and those to flags.',
    'Without --config, the file is what CONFIG_PATH names, else config.json or config.toml in the working folder.',
    '',
  ].join('\n')
}

function concerns(kind: Kind, section: string | undefined): boolean {
  return section !== (kind === 'hub' ? 'reader' : 'hub')
}

/** What `--help` says of one flag. */
export function flagHelp(row: SourceRow, kind: Kind): string {
  const [placed] = placedKey(row, kind)
  const described = describeKeys().find(({ key }) => key === placed)
  const standard = described === undefined ? '' : `; default ${defaultText(described.default)}`
  return `${described?.description ?? ''} (${row.env}${standard})`
}

/** The keys that a row sets, with their sections. */
function placedKey(row: SourceRow, kind: Kind): string[] {
  const setting = { path: row.key.split('.'), value: '', origin: { source: 'default', name: '' } } as const
  return placeSettings([setting], kind).map(({ path }) => path.join('.'))
}

function defaultText(value: unknown): string {
  return value === null ? 'none' : JSON.stringify(value)
}
