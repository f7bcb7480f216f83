import { driverConformance } from '../../drivers/conformance/index.ts'
import { fitsKey } from '../../drivers/s3/store.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { emptiedAfterEach, type S3Harness, s3Harness } from './s3-harness.ts'

describe('over a Ceph gateway', () => {
  let harness: S3Harness
  before(async function () {
    this.timeout(installMs)
    await cephServer()
    harness = await s3Harness()
  })
  after(() => harness.close())

  driverConformance('s3', async () => emptiedAfterEach(harness), {
    // The first part of a body is taken in whole, since it may be all there is.
    readAheadBytes: 16 * 1024 * 1024,
    contentEtags: true,
    writeTimeSlackMs: 2_000,
    canHold: fitsKey,
  })
})
