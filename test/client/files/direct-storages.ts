import type { DriverHarness } from '../../../drivers/conformance/index.ts'
import { gcsHarness, presigning, withGcsServer } from '../../drivers/gcs-harness.ts'
import { s3Harness } from '../../drivers/s3-harness.ts'
import { cephServer, installMs } from '../../servers/ceph.ts'

/** Storages that hold uploads to what was signed, and send what they have to whoever shows a signature; each opens one within its suite. */
export const directStorages: readonly [name: string, suite: () => () => Promise<DriverHarness>][] = [
  [
    'S3',
    () => {
      before(async function () {
        this.timeout(installMs)
        await cephServer()
      })
      return () => s3Harness({ presign: true })
    },
  ],
  [
    'Cloud Storage',
    () => {
      const server = withGcsServer(presigning.server)
      return () => gcsHarness(server(), presigning.driver)
    },
  ],
]
