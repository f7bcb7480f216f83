import { type ConformanceOptions, driverConformance } from '../../drivers/conformance/index.ts'
import { fitsKey } from '../../drivers/s3/store.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { StrictS3 } from '../servers/strict-s3.ts'
import { anonymousHarness, emptiedAfterEach, type S3Harness, s3Harness } from './s3-harness.ts'

const options: ConformanceOptions = {
  // The first part of a body is taken in whole, since it may be all there is.
  readAheadBytes: 16 * 1024 * 1024,
  contentEtags: true,
  writeTimeSlackMs: 2_000,
  canHold: fitsKey,
}

describe('over a Ceph gateway', () => {
  let harness: S3Harness
  before(async function () {
    this.timeout(installMs)
    await cephServer()
    harness = await s3Harness({ presign: true })
  })
  after(() => harness.close())

  driverConformance(
    's3, where only simple writes are held to conditions',
    async () => emptiedAfterEach(harness),
    { ...options, presigns: 'uploads', atomicDeletes: false },
  )
})

describe('over a server that holds every request to its conditions', () => {
  let server: StrictS3
  let harness: S3Harness
  before(async function () {
    this.timeout(installMs)
    server = await StrictS3.start((await cephServer()).endpoint)
    harness = await anonymousHarness(server.url)
  })
  after(async () => {
    await harness.close()
    await server.stop()
  })

  driverConformance('s3', async () => emptiedAfterEach(harness), options)
})
