import { type AzureDriverOptions, azureDriver } from '../../drivers/azure/index.ts'
import type { DriverHarness } from '../../drivers/conformance/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import type { Azurite } from '../servers/azurite.ts'

/** A container of its own, and an Azure driver over it. */
export interface AzureStorage {
  readonly options: AzureDriverOptions
  readonly driver: Driver
  /** Names of all blobs. */
  names(): Promise<string[]>
  /** Deletes everything. */
  empty(): Promise<void>
  /** Takes the container away, under the driver. */
  remove(): Promise<void>
  remake(): Promise<void>
  close(): Promise<void>
}

export async function azureStorage(
  server: Azurite,
  more: Partial<AzureDriverOptions> = {},
): Promise<AzureStorage> {
  const container = server.newContainer()
  const { accountName, accountKey, endpoint } = server
  const options = { container: container.containerName, accountName, accountKey, endpoint, ...more }
  const driver = await azureDriver({ ...options, createBucket: true })
  const names = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { name } of container.listBlobsFlat()) found.push(name)
    return found
  }
  return {
    options,
    driver,
    names,
    async empty() {
      for (const name of await names()) await container.getBlobClient(name).deleteIfExists()
    },
    async remove() {
      await container.delete()
    },
    async remake() {
      await container.create()
    },
    async close() {
      await driver.close()
      await container.delete()
    },
  }
}

/** One container for many tests, emptied between them: making a driver takes longer than most tests. */
export function azureHarness(storage: AzureStorage): DriverHarness {
  return {
    driver: storage.driver,
    second: () => azureDriver(storage.options),
    leftovers: async () => (await storage.names()).filter((name) => name.startsWith('.')),
    close: () => storage.empty(),
  }
}
