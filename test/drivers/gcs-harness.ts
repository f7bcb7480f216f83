import type { DriverHarness } from '../../drivers/conformance/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { type GcsDriverOptions, gcsDriver } from '../../drivers/gcs/index.ts'
import { type GcsServer, type GcsServerOptions, startGcsServer } from '../servers/gcs.ts'
import { account } from '../servers/gcs-account.ts'

export interface GcsHarness extends DriverHarness {
  readonly server: GcsServer
  readonly bucket: string
  second(): Promise<Driver>
}

/** One server for the tests of a suite; call it in its `describe`. */
export function withGcsServer(options: GcsServerOptions = {}): () => GcsServer {
  let server: GcsServer | null = null
  before(async () => {
    server = await startGcsServer(options)
  })
  after(() => server?.stop())
  return () => {
    if (server === null) throw new Error('the server has not begun')
    return server
  }
}

let buckets = 0

/** Small parts, so that few bytes make many; short waits, so that no test waits for long. */
export const quick = {
  partBytes: 1024 * 1024,
  retryOptions: { maxRetries: 2, maxRetryDelay: 0.01 },
} as const

const { accounts, signed: authorize, credentials } = account('alice@project.iam')

/** A server that knows one account, and the driver that is it. Whoever is asked has a token or a signature to show. */
export const presigning = {
  server: { accounts, authorize },
  // In a universe of their own, keys sign tokens by themselves and ask nobody.
  driver: { credentials, universeDomain: 'universe.test', presign: true },
} as const

/** A driver over a bucket of its own, which it makes. */
export async function gcsHarness(
  server: GcsServer,
  options: Partial<GcsDriverOptions> = {},
): Promise<GcsHarness> {
  const bucket = `bucket-${++buckets}`
  const settings = { bucket, apiEndpoint: server.url, projectId: 'p', ...quick, ...options }
  const driver = await gcsDriver({ ...settings, createBucket: true })
  return {
    server,
    bucket,
    driver,
    second: () => gcsDriver({ ...settings, presign: false }),
    async leftovers() {
      const probes = [...server.store.bucket(bucket).keys()].filter((name) => name.startsWith('.mandate'))
      return [...server.uploads.open(bucket), ...probes]
    },
    async close() {
      server.fault = () => null
      await driver.close()
      server.store.buckets.delete(bucket)
    },
  }
}

/** A harness of many tests, one after the other: each begins with the bucket empty, and none has to open it. */
export function emptiedAfterEach(harness: GcsHarness): DriverHarness {
  return {
    ...harness,
    async close() {
      harness.server.fault = () => null
      harness.server.store.bucket(harness.bucket).clear()
    },
  }
}
