import { driverConformance } from '../../drivers/conformance/index.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { type AzureStorage, azureHarness, azureStorage } from './azure-harness.ts'

const blockBytes = 1024 * 1024
const uploadConcurrency = 2

describe('azure', () => {
  let storage: AzureStorage
  before(async () => {
    storage = await azureStorage(await sharedAzurite(), { blockBytes, uploadConcurrency })
  })
  after(() => storage.close())

  driverConformance('azure', async () => azureHarness(storage), {
    // The blocks under way, the one that fills, and the one that is about to be sent.
    readAheadBytes: (uploadConcurrency + 2) * blockBytes,
    // Azurite writes lists as XML that it cannot write such a character in; the service itself can.
    canHold: (key) => key.length <= 1024 && !/[\ufffe\uffff]/.test(key),
  })
})
