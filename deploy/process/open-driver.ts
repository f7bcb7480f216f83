import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import type { Config, DriverName } from './config/schema.ts'
import { StartError } from './start-error.ts'

type Open = (config: Config) => Promise<Driver>

/** How each driver is made of the configuration; one that is not here is not built. */
const factories: Partial<Record<DriverName, Open>> = {
  disk: ({ diskSettings }) =>
    diskDriver({ root: diskSettings.storageRootDirectory, durability: diskSettings.durability }),
  memory: async () => memoryDriver(),
}

/** The drivers that this version has. */
export const builtDrivers = Object.keys(factories)

/** @throws {StartError} where the driver is not built, or its storage does not answer */
export async function openDriver(config: Config): Promise<Driver> {
  const open = factories[config.driver]
  if (open === undefined) {
    throw new StartError(
      'configuration',
      `driver = ${JSON.stringify(config.driver)}: this version of Mandate has no such driver yet; choose one of ${builtDrivers.join(', ')}`,
    )
  }
  let driver: Driver | null = null
  try {
    driver = await open(config)
    await driver.check()
    return driver
  } catch (error) {
    await driver?.close()
    throw new StartError('start', `the ${storageText(config)} cannot be used: ${reason(error)}`, error)
  }
}

/** The storage in a few words: driver and place. */
export function storageText({ driver, diskSettings, bucket }: Config): string {
  if (driver === 'memory') return 'storage in memory'
  return driver === 'disk' ? `folder ${diskSettings.storageRootDirectory}` : `${driver} bucket ${bucket}`
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
