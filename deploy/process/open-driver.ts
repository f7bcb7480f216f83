import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import type { Config, DriverName } from './config/schema.ts'
import { StartError } from './start-error.ts'
import { azureOptions, gcsOptions, s3Options } from './store-options.ts'
import { storeText } from './store-text.ts'

type Open = (config: Config) => Promise<Driver>

/** How each driver is made of the configuration. The SDK of a storage is loaded where it is used only. */
const factories: Record<DriverName, Open> = {
  disk: ({ diskSettings }) =>
    diskDriver({ root: diskSettings.storageRootDirectory, durability: diskSettings.durability }),
  memory: async () => memoryDriver(),
  async s3(config) {
    const { s3Driver } = await import('../../drivers/s3/index.ts')
    return await s3Driver(s3Options(config))
  },
  async gcs(config) {
    const { gcsDriver } = await import('../../drivers/gcs/index.ts')
    return await gcsDriver(gcsOptions(config))
  },
  async azure(config) {
    const { azureDriver } = await import('../../drivers/azure/index.ts')
    return await azureDriver(azureOptions(config))
  },
}

/** The drivers that this version has. */
export const builtDrivers = Object.keys(factories)

/** @throws {StartError} where the storage does not answer, or cannot be relied on */
export async function openDriver(config: Config): Promise<Driver> {
  let driver: Driver | null = null
  try {
    driver = await factories[config.driver](config)
    await driver.check()
    return driver
  } catch (error) {
    await driver?.close()
    throw new StartError('start', `the ${storageText(config)} cannot be used: ${reason(error)}`, error)
  }
}

/** The storage in a few words: driver and place. */
export function storageText(config: Config): string {
  const { driver, diskSettings } = config
  if (driver === 'memory') return 'storage in memory'
  return driver === 'disk' ? `folder ${diskSettings.storageRootDirectory}` : `${driver} ${storeText(config)}`
}

/** A driver's own message says little of what the SDK or the system said; that is for the operator alone. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? (error.cause.message.split('\n', 1)[0] ?? '') : ''
  const isTold = cause === '' || cause === 'UnknownError' || error.message.includes(cause)
  return isTold ? error.message : `${error.message} (${cause.slice(0, 200)})`
}
