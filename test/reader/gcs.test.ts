import { gcsHarness, withGcsServer } from '../drivers/gcs-harness.ts'
import { readerAnswers } from './answers.ts'

describe('over Google Cloud Storage', () => {
  const server = withGcsServer()
  readerAnswers('the gcs driver', async () => {
    const { driver, close } = await gcsHarness(server())
    return { driver, dispose: close }
  })
})
