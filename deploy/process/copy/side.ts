import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Env } from '../config/env.ts'
import { ConfigError, type Fault } from '../config/fault.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { isBuiltDriver } from '../config/values.ts'
import { readNamedConfigFile } from '../config-file.ts'
import { storageText } from '../open-driver.ts'
import { StartError } from '../start-error.ts'
import { storePlace, storeText } from '../store-text.ts'

/** One of the two storages of a copy. */
export interface Side {
  config: Config
  /** That of the configuration file. */
  folder: string
  /** What storage it is, for people. */
  text: string
  /** Tells one storage from another; holds no secret. */
  identity: string
}

/**
 * Reads the configuration of one side. Variables of the environment would be those of both, so only those count that
 * begin with `FROM_` or `TO_`: `TO_GAIA_S3_SECRET_ACCESS_KEY`.
 * @throws {StartError}
 */
export function readSide(prefix: 'FROM' | 'TO', path: string, env: Env): Side {
  const config = readConfig(prefix, path, env)
  const folder = dirname(resolve(path))
  return { config, folder, text: storageText(config), identity: identityOf(config, folder) }
}

function readConfig(prefix: 'FROM' | 'TO', path: string, env: Env): Config {
  const flag = `--${prefix.toLowerCase()}`
  try {
    const { text, format } = readNamedConfigFile(path, flag)
    return loadConfig({ text, format, env: envOf(prefix, env), flags: new Map(), kind: 'hub' }).config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message } = new ConfigError(error.faults.map((fault) => withPrefix(prefix, fault)))
    throw new StartError('configuration', `the configuration of ${flag} cannot be used: ${message}`, error)
  }
}

/** Names a variable as it was set. */
function withPrefix(prefix: string, fault: Fault): Fault {
  const { source, name } = fault.origin
  return source === 'environment' ? { ...fault, origin: { source, name: `${prefix}_${name}` } } : fault
}

/** A storage that is read from is there, or its name is a slip. @throws {StartError} */
export function checkExists({ config: { driver, diskSettings } }: Side): void {
  if (driver !== 'disk' || existsSync(diskSettings.storageRootDirectory)) return
  throw new StartError(
    'configuration',
    `there is no folder ${diskSettings.storageRootDirectory} to copy from`,
  )
}

function envOf(prefix: string, env: Env): Env {
  const own = Object.entries(env).flatMap(([name, value]) => {
    const [, bare] = new RegExp(`^${prefix}_((?:GAIA|MANDATE)_.+)$`).exec(name) ?? []
    return bare === undefined ? [] : [[bare, value] as const]
  })
  return Object.fromEntries(own)
}

function identityOf(config: Config, folder: string): string {
  const { driver, diskSettings, driverSettings } = config
  if (driver === 'disk') return `disk ${realPathOf(diskSettings.storageRootDirectory)}`
  if (isBuiltDriver(driver)) return `${driver} ${storePlace(config) ?? ''} ${storeText(config)}`
  // Some of them may be secret.
  const settings = createHash('sha256').update(JSON.stringify(driverSettings)).digest('hex').slice(0, 16)
  return `${driver.startsWith('.') ? resolve(folder, driver) : driver} ${settings}`
}

function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path)
}
