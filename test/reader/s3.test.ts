import { s3Harness } from '../drivers/s3-harness.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { readerAnswers } from './answers.ts'

describe('S3', () => {
  before(async function () {
    this.timeout(installMs)
    await cephServer()
  })

  readerAnswers('the S3 driver', async () => {
    const harness = await s3Harness()
    return { driver: harness.driver, dispose: () => harness.close() }
  })
})
