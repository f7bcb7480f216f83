import { azureStorage } from '../drivers/azure-harness.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { readerAnswers } from './answers.ts'

readerAnswers('the Azure driver', async () => {
  const storage = await azureStorage(await sharedAzurite())
  return { driver: storage.driver, dispose: () => storage.close() }
})
