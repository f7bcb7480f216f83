import type { DriverHarness } from '../../drivers/conformance/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { type GcsDriverOptions, gcsDriver } from '../../drivers/gcs/index.ts'
import { type GcsServer, type GcsServerOptions, startGcsServer } from '../servers/gcs.ts'

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
    second: () => gcsDriver(settings),
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
