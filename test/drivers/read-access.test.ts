import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { azureDriver } from '../../drivers/azure/index.ts'
import { bodyOf, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { gcsDriver } from '../../drivers/gcs/index.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { readOnly } from '../../drivers/read-only.ts'
import { s3Driver } from '../../drivers/s3/index.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { makeBucket, openToAll } from '../servers/s3-bucket.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { azureStorage } from './azure-harness.ts'
import { gcsHarness, withGcsServer } from './gcs-harness.ts'

/** A storage with something in it, which only a reader may be opened over. */
interface Place {
  /** Opens it for reading where nothing else is allowed; a denied read is denied too. */
  open(denied?: 'reads'): Promise<Driver>
  /** What was asked of it by the reader that was no reading. */
  changes(): Promise<readonly string[]>
  end(): Promise<void>
}

const at = key('folder/a file')
const odd = key('folder/ends with a dot.')

async function fill(driver: Driver): Promise<void> {
  await put(driver, at, 'held', { contentType: 'a/b' })
}

const isReading = (request: string | undefined) => /^(GET|HEAD) /.test(request ?? '')

/** Lets nothing but reading through, or nothing at all. */
async function guard(target: string): Promise<FaultyProxy & { denied: boolean }> {
  const proxy = Object.assign(await FaultyProxy.start(target), { denied: false })
  proxy.decide = ({ method }) =>
    proxy.denied || !isReading(`${method} `) ? { do: 'answer', status: 403 } : { do: 'pass' }
  return proxy
}

const places: Record<string, (googles: () => Parameters<typeof gcsHarness>[0]) => Promise<Place>> = {
  async disk() {
    const root = await mkdtemp(join(tmpdir(), 'mandate-reading-'))
    const writing = await diskDriver({ root, durability: 'none' })
    await fill(writing)
    await writing.close()
    await rm(join(root, '.mandate'), { recursive: true })
    const before = await readdir(root, { recursive: true })
    return {
      // A folder that is missing is as good as one that may not be read, which no test that runs as root meets.
      open: (denied) => diskDriver({ root: denied === undefined ? root : `${root}/missing`, access: 'read' }),
      changes: async () =>
        (await readdir(root, { recursive: true })).filter((name) => !before.includes(name)),
      end: () => rm(root, { recursive: true }),
    }
  },
  async s3() {
    const server = await cephServer()
    const bucket = await makeBucket(server)
    await openToAll(bucket)
    const { endpoint, accessKeyId, secretAccessKey } = server
    const credentials = { accessKeyId, secretAccessKey }
    const writing = await s3Driver({ endpoint, bucket: bucket.name, credentials })
    await fill(writing)
    await writing.close()
    const proxy = await guard(endpoint)
    return {
      open(denied) {
        proxy.denied = denied !== undefined
        const options = {
          endpoint: proxy.url,
          bucket: bucket.name,
          credentials: 'anonymous',
          maxAttempts: 1,
        } as const
        return s3Driver({ ...options, access: 'read' })
      },
      changes: async () => proxy.requests.filter((request) => !isReading(request)),
      async end() {
        await proxy.stop()
        await bucket.remove()
      },
    }
  },
  async gcs(googles) {
    const server = googles()
    const harness = await gcsHarness(server)
    await fill(harness.driver)
    const before = server.requests.length
    return {
      open(denied) {
        server.fault = (request) => (denied !== undefined || !isReading(request) ? 403 : null)
        const options = { bucket: harness.bucket, apiEndpoint: server.url, projectId: 'p' }
        return gcsDriver({ ...options, access: 'read' })
      },
      changes: async () => server.requests.slice(before).filter((request) => !isReading(request)),
      async end() {
        server.fault = () => null
        await harness.close()
      },
    }
  },
  async azure() {
    const server = await sharedAzurite()
    const storage = await azureStorage(server)
    await fill(storage.driver)
    await put(storage.driver, odd, 'held too')
    const proxy = await guard(server.endpoint)
    return {
      open(denied) {
        proxy.denied = denied !== undefined
        return azureDriver({ ...storage.options, endpoint: proxy.url, maxTries: 1, access: 'read' })
      },
      changes: async () => proxy.requests.filter((request) => !isReading(request)),
      async end() {
        await proxy.stop()
        await storage.close()
      },
    }
  },
}

for (const [name, make] of Object.entries(places)) {
  describe(`${name}, opened for reading only`, function () {
    this.timeout(installMs)
    const googles = withGcsServer()
    let place: Place

    beforeEach(async () => {
      place = await make(googles)
    })
    afterEach(() => place.end())

    it('needs no right to write, tries none, and reads all there is', async () => {
      const driver = await place.open()
      await driver.check()
      const { info, text } = await get(driver, at)
      expect([text, info.contentType, (await driver.stat(at))?.etag]).to.deep.equal([
        'held',
        'a/b',
        info.etag,
      ])
      const { entries } = await driver.list('1ConformanceSuiteAddress/', { limit: 10, cursor: null })
      expect(entries.map((entry) => entry.key)).to.include(at)
      const { buckets } = await driver.listBuckets({ limit: 10, cursor: null })
      expect(buckets).to.deep.equal(['1ConformanceSuiteAddress'])
      expect(await driver.read(key('missing'))).to.equal(null)
      await driver.close()
      expect(await place.changes()).to.deep.equal([])
    })

    it('refuses to change anything, and asks nobody', async () => {
      const driver = await place.open()
      const body = bodyOf('more')
      await failure(driver.write(at, body, { contentType: 'a/b' }), 'backend')
      expect(body.destroyed).to.equal(true)
      await failure(driver.delete(at), 'backend')
      await failure(driver.copy(at, key('b')), 'backend')
      await driver.close()
      expect(await place.changes()).to.deep.equal([])
    })

    it('does not open where it may not read', async () => {
      const error: unknown = await place.open('reads').catch((reason: unknown) => reason)
      expect(error).to.have.property('name', 'DriverError')
    })
  })
}

describe('azure, opened for reading only, where it is not known which names are held', () => {
  it('tells names apart that a service may take for one', async () => {
    const server = await sharedAzurite()
    const storage = await azureStorage(server)
    await put(storage.driver, odd, 'with a dot')
    const proxy = await FaultyProxy.start(server.endpoint)
    // What a service that drops dots at the end would say of this name.
    const headers = { etag: '"0x1"', 'last-modified': 'Sun, 22 Nov 2026 07:00:00 GMT', 'content-length': '0' }
    proxy.decide = ({ url }) =>
      url?.includes('/another.') === true ? { do: 'answer', status: 200, headers } : { do: 'pass' }
    const driver = await azureDriver({ ...storage.options, endpoint: proxy.url, access: 'read' })
    expect((await get(driver, odd)).text).to.equal('with a dot')
    expect(await driver.stat(key('folder/another.'))).to.equal(null)
    expect(await driver.read(key('folder/another.'))).to.equal(null)
    await driver.close()
    await proxy.stop()
    await storage.close()
  })
})

describe('a driver made read-only', () => {
  it('is otherwise what it was, what others have added to it included', async () => {
    const driver = memoryDriver()
    await put(driver, at, 'x')
    const added = Object.assign(driver, { extra: () => 'extra' })
    const reading = readOnly(added) as typeof added
    expect([reading.name, reading.extra(), (await get(reading, at)).text]).to.deep.equal([
      'memory',
      'extra',
      'x',
    ])
    expect(reading.capabilities).to.equal(driver.capabilities)
  })
})
