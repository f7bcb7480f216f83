import type { DriverHarness } from '../../drivers/conformance/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { type S3DriverOptions, s3Driver } from '../../drivers/s3/index.ts'
import { cephServer, type S3Server } from '../servers/ceph.ts'
import { makeBucket, openToAll, type TestBucket } from '../servers/s3-bucket.ts'

export interface S3Harness extends DriverHarness {
  readonly bucket: TestBucket
  readonly options: S3DriverOptions
  second(): Promise<Driver>
}

/** How a driver reaches a bucket of a server. */
export function optionsFor(server: S3Server, bucket: string): S3DriverOptions {
  const { endpoint, accessKeyId, secretAccessKey } = server
  return { endpoint, bucket, credentials: { accessKeyId, secretAccessKey } }
}

/** An S3 driver over a bucket of its own. */
export async function s3Harness(more: Partial<S3DriverOptions> = {}): Promise<S3Harness> {
  const server = await cephServer()
  const bucket = await makeBucket(server)
  return await harnessOver(bucket, { ...optionsFor(server, bucket.name), ...more })
}

/** The same for everybody, unsigned, by way of another address. */
export async function anonymousHarness(endpoint: string): Promise<S3Harness> {
  const bucket = await makeBucket(await cephServer())
  await openToAll(bucket)
  return await harnessOver(bucket, { endpoint, bucket: bucket.name, credentials: 'anonymous' })
}

async function harnessOver(bucket: TestBucket, options: S3DriverOptions): Promise<S3Harness> {
  const driver = await s3Driver(options)
  return {
    bucket,
    options,
    driver,
    second: () => s3Driver({ ...options, presign: false }),
    leftovers: () => bucket.leftovers(),
    async close() {
      await driver.close()
      await bucket.remove()
    },
  }
}

/** A harness of many tests, one after the other: each begins with the bucket empty, and none has to open it. */
export function emptiedAfterEach(harness: S3Harness): DriverHarness {
  return { ...harness, close: () => harness.bucket.empty() }
}
