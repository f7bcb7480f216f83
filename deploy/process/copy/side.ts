import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Env } from '../config/env.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { isBuiltDriver } from '../config/values.ts'
import { readConfigFile } from '../config-file.ts'
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
 * @throws {ConfigError}
 */
export function readSide(prefix: 'FROM' | 'TO', path: string, env: Env): Side {
  const file = readConfigFile(path, {})
  if (file === null) throw new Error('a file that was named is read, or its absence is an error')
  const { text, format } = file
  const { config } = loadConfig({ text, format, env: envOf(prefix, env), flags: new Map(), kind: 'hub' })
  const folder = dirname(resolve(path))
  return { config, folder, text: storageText(config), identity: identityOf(config, folder) }
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
