import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { Env } from './config/env.ts'
import { ConfigError } from './config/fault.ts'
import type { FileFormat } from './config/parse-file.ts'

export interface ConfigFile {
  path: string
  text: string
  format: FileFormat
}

/** What Gaia reads where nothing else is said, and its like. */
const usual = ['config.json', 'config.toml']

/**
 * The configuration file: what `--config` names, else the environment variable `CONFIG_PATH` as in Gaia, else
 * `config.json` or `config.toml` in the working folder, else none.
 * @throws {ConfigError} where a file that was named cannot be read
 */
export function readConfigFile(named: string | undefined, env: Env): ConfigFile | null {
  if (named !== undefined) return readNamedConfigFile(named, '--config')
  const fromEnv = env.CONFIG_PATH
  if (fromEnv !== undefined && fromEnv !== '')
    return read(fromEnv, { source: 'environment', name: 'CONFIG_PATH' })
  const found = usual.find((path) => existsSync(path))
  return found === undefined ? null : read(found, { source: 'file', name: found })
}

/** @throws {ConfigError} where it cannot be read */
export function readNamedConfigFile(path: string, flag: string): ConfigFile {
  return read(path, { source: 'command line', name: flag })
}

function read(path: string, origin: ConfigError['faults'][number]['origin']): ConfigFile {
  const fault = (problem: string) =>
    new ConfigError([{ key: 'configuration file', value: JSON.stringify(path), problem, origin }])
  const extension = extname(path).toLowerCase()
  if (extension !== '.json' && extension !== '.toml') throw fault('its name must end in .json or .toml')
  try {
    return { path, text: readFileSync(path, 'utf8'), format: extension === '.json' ? 'json' : 'toml' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw fault(code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`)
  }
}
