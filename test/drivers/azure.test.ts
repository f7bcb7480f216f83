import { driverConformance } from '../../drivers/conformance/index.ts'
import { type Azurite, startAzurite } from '../servers/azurite.ts'
import { type AzureStorage, azureHarness, azureStorage } from './azure-harness.ts'

const blockBytes = 1024 * 1024
const uploadConcurrency = 2

describe('azure', () => {
  let server: Azurite
  let storage: AzureStorage
  before(async () => {
    server = await startAzurite()
    storage = await azureStorage(server, { blockBytes, uploadConcurrency })
  })
  after(async () => {
    await storage.close()
    await server.stop()
  })

  driverConformance('azure', async () => azureHarness(storage), {
    // The blocks under way, the one that fills, and the one that is about to be sent.
    readAheadBytes: (uploadConcurrency + 2) * blockBytes,
    // Azurite writes lists as XML that it cannot write such a character in; the service itself can.
    canHold: (key) => key.length <= 1024 && !/[\ufffe\uffff]/.test(key),
  })
})
