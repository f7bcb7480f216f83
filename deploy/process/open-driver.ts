import { existsSync } from 'node:fs'
import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { loadPlugin, PluginError } from '../../drivers/plugin.ts'
import { type Access, readOnly } from '../../drivers/read-only.ts'
import type { Config } from './config/schema.ts'
import { type BuiltDriver, builtDrivers, isBuiltDriver, isPathOfDriver } from './config/values.ts'
import { StartError } from './start-error.ts'
import { azureOptions, gcsOptions, s3Options } from './store-options.ts'
import { storeText } from './store-text.ts'

export interface OpenOptions {
  /** `read` for who changes nothing: then no right to write is needed or tried. `write` unless said otherwise. */
  access?: Access
  /** That of the configuration file, from which drivers of others are looked for; the working folder without one. */
  folder?: string
}

type Open = (config: Config, access: Access) => Promise<Driver>

/** How each driver is made of the configuration. The SDK of a storage is loaded where it is used only. */
const factories: Record<BuiltDriver, Open> = {
  disk: ({ diskSettings: { storageRootDirectory, durability } }, access) =>
    diskDriver({
      root: storageRootDirectory,
      durability,
      // A folder that is not there yet is made, so that hub and reader may start in either order.
      access: existsSync(storageRootDirectory) ? access : 'write',
    }),
  memory: async () => memoryDriver(),
  async s3(config, access) {
    const { s3Driver } = await import('../../drivers/s3/index.ts')
    return await s3Driver({ ...s3Options(config), access })
  },
  async gcs(config, access) {
    const { gcsDriver } = await import('../../drivers/gcs/index.ts')
    return await gcsDriver({ ...gcsOptions(config), access })
  },
  async azure(config, access) {
    const { azureDriver } = await import('../../drivers/azure/index.ts')
    return await azureDriver({ ...azureOptions(config), access })
  },
}

/** @throws {StartError} where the storage does not answer, or cannot be relied on */
export async function openDriver(config: Config, options: OpenOptions = {}): Promise<Driver> {
  const { access = 'write', folder = process.cwd() } = options
  let driver: Driver | null = null
  try {
    driver = await makeDriver(config, access, folder)
    await driver.check()
    return driver
  } catch (error) {
    await driver?.close()
    throw asStartError(config, error)
  }
}

async function makeDriver(config: Config, access: Access, folder: string): Promise<Driver> {
  const { driver: name, driverSettings, allowUnsafeConditions } = config
  if (isBuiltDriver(name)) return await factories[name](config, access)
  const driver = await loadPlugin(name, driverSettings, folder, { access })
  if (access === 'read') return readOnly(driver)
  if (driver.capabilities.atomicConditions || allowUnsafeConditions) return driver
  await driver.close()
  throw new DriverError(
    'backend',
    'the driver says that it does not hold writes to conditions, so that writers at the same time would lose ' +
      'updates; allowUnsafeConditions: true accepts that',
  )
}

/** A driver that is not there, or is none, is a fault of the configuration: a slip in the name of a built one, say. */
function asStartError(config: Config, error: unknown): StartError {
  if (error instanceof PluginError) {
    const others = isPathOfDriver(config.driver) ? '' : `; built in are ${builtDrivers.join(', ')}`
    return new StartError('configuration', `${error.message}${others}`, error)
  }
  return new StartError('start', `the ${storageText(config)} cannot be used: ${reason(error)}`, error)
}

/** The storage in a few words: driver and place. */
export function storageText(config: Config): string {
  const { driver, diskSettings } = config
  if (driver === 'memory') return 'storage in memory'
  if (driver === 'disk') return `folder ${diskSettings.storageRootDirectory}`
  return isBuiltDriver(driver) ? `${driver} ${storeText(config)}` : storeText(config)
}

/** A driver's own message says little of what the SDK or the system said; that is for the operator alone. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? (error.cause.message.split('\n', 1)[0] ?? '') : ''
  const isTold = cause === '' || cause === 'UnknownError' || error.message.includes(cause)
  const told = isTold ? error.message : `${error.message} (${cause.slice(0, 200)})`
  return `${told}${whatToSet(cause)}${whoIsRefused(error.cause)}`
}

/** How an SDK begins where a setting is missing, in words of its own, and what the setting is here. */
const missingSettings = [
  ['Region is missing', 'awsCredentials.region'],
  ['Could not load credentials', 'awsCredentials.accessKeyId and awsCredentials.secretAccessKey'],
  ['Could not load the default credentials', 'gcCredentials.keyFilename'],
] as const

function whatToSet(cause: string): string {
  const [, keys] = missingSettings.find(([begin]) => cause.startsWith(begin)) ?? []
  return keys === undefined ? '' : `; set ${keys}, unless the environment is to tell`
}

/** Whom the folder should belong to: in a container, that is no user that the machine shows. */
function whoIsRefused(cause: unknown): string {
  const isRefused = cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'EACCES'
  const user = process.getuid?.()
  return isRefused && user !== undefined ? `; this process runs as user ${user}` : ''
}
