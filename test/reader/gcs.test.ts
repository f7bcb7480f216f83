import { gcsHarness, withGcsServer } from '../drivers/gcs-harness.ts'
import { readerAnswers } from './answers.ts'

describe('over Google Cloud Storage', () => {
  const server = withGcsServer()
  readerAnswers('the gcs driver', async () => {
    const harness = await gcsHarness(server())
    return { driver: harness.driver, dispose: () => harness.close() }
  })
})
