import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { failure, get, key, put } from '../../drivers/conformance/harness.ts'
import type { Driver } from '../../drivers/driver.ts'
import type { DriverError } from '../../drivers/errors.ts'
import { openIdentity } from '../../drivers/gcs/identity.ts'
import { type GcsDriverOptions, gcsDriver } from '../../drivers/gcs/index.ts'
import { type GcsServer, startGcsServer } from '../servers/gcs.ts'
import { account } from '../servers/gcs-account.ts'
import { quick, withGcsServer } from './gcs-harness.ts'

const bucket = 'hub-bucket'

describe('starting on Google Cloud Storage', () => {
  describe('with a bucket', () => {
    const server = withGcsServer()
    const start = (options: Partial<GcsDriverOptions> = {}): Promise<Driver> =>
      gcsDriver({ bucket, apiEndpoint: server().url, ...quick, ...options })
    afterEach(() => {
      server().fault = () => null
      server().store.buckets.clear()
    })

    it('needs one that is there, or is told to make it', async () => {
      const { message } = await failure(start(), 'backend')
      expect(message).to.equal('the bucket does not exist; createBucket: true makes it')
      for (let i = 0; i < 2; i++) {
        const driver = await start({ createBucket: true, projectId: 'p' })
        await driver.close()
      }
      expect([...server().store.buckets.keys()]).to.deep.equal([bucket])
      await (await start()).close()
    })

    it('may make it when another hub does at the same time', async () => {
      const drivers = await Promise.all([1, 2, 3].map(() => start({ createBucket: true, projectId: 'p' })))
      for (const driver of drivers) {
        await driver.check()
        await driver.close()
      }
    })

    it('leaves nothing in the bucket', async () => {
      server().store.createBucket(bucket)
      await (await start()).close()
      expect(server().store.bucket(bucket).size).to.equal(0)
      expect(server().uploads.open(bucket)).to.deep.equal([])
    })

    for (const [what, pattern] of [
      ['write', /^POST \/upload/],
      ['read', /alt=media/],
      ['list', /prefix=/],
      ['delete', /^DELETE/],
    ] as const) {
      it(`says when it may not ${what}`, async () => {
        server().store.createBucket(bucket)
        server().fault = (request) => (pattern.test(request) ? 403 : null)
        const { message } = await failure(start(), 'backend')
        expect(message).to.match(new RegExp(`cannot be used to ${what} .*does not allow`))
      })
    }

    it('refuses parts of a size that the storage does not take', async () => {
      for (const partBytes of [0, -262_144, 100, 262_145, Number.NaN]) {
        await failure(start({ partBytes }), 'backend')
      }
    })

    it('refuses an endpoint that is none', async () => {
      for (const apiEndpoint of ['ftp://a', 'http://', 'http://user:word@a']) {
        await failure(start({ apiEndpoint }), 'backend')
      }
    })

    it('goes on trying while the storage is under load', async () => {
      server().store.createBucket(bucket)
      let left = 2
      server().fault = () => (left-- > 0 ? 503 : null)
      await (await start()).close()
    })

    it('ends its connections when it is closed, and does nothing more', async () => {
      server().store.createBucket(bucket)
      const driver = await start()
      await put(driver, key('a'), Buffer.alloc(3_000_000))
      const reading = await driver.read(key('a'))
      await driver.close()
      await new Promise((resolve) => reading?.body.once('error', resolve).resume())
      await failure(driver.check(), 'backend')
      // The server hears of it a moment later.
      for (let i = 0; i < 100 && (await server().connections()) > 0; i++) await sleep(10)
      expect(await server().connections()).to.equal(0)
    })
  })

  describe('that ignores conditions', () => {
    const server = withGcsServer({ ignoreConditions: true })
    const options = () => ({
      bucket,
      apiEndpoint: server().url,
      projectId: 'p',
      createBucket: true,
      ...quick,
    })

    it('is refused, unless that is allowed', async () => {
      const { message } = await failure(gcsDriver(options()), 'backend')
      expect(message).to.match(/allowUnsafeConditions: true/)
      expect(server().store.bucket(bucket).size).to.equal(0)
      const driver = await gcsDriver({ ...options(), allowUnsafeConditions: true })
      expect(driver.capabilities.atomicConditions).to.equal(false)
      await driver.close()
    })
  })

  describe('with credentials', () => {
    const alice = account('alice@project.iam')
    const mallory = account('mallory@project.iam')
    // In a universe of their own, keys sign tokens by themselves and ask nobody.
    const universeDomain = 'universe.test'
    let server: GcsServer
    before(async () => {
      server = await startGcsServer({ authorize: (header) => alice.signed(header) })
      server.store.createBucket(bucket)
    })
    after(() => server.stop())
    const start = (options: Partial<GcsDriverOptions>): Promise<Driver> =>
      gcsDriver({ bucket, apiEndpoint: server.url, universeDomain, ...quick, ...options })

    it('shows them with every request, uploads in parts among them', async () => {
      const driver = await start({ credentials: alice.credentials })
      await put(driver, key('a'), Buffer.alloc(2_500_000, 'x'))
      expect((await get(driver, key('a'))).text.length).to.equal(2_500_000)
      await driver.copy(key('a'), key('b'))
      await driver.delete(key('a'))
      expect(
        (await driver.list('1ConformanceSuiteAddress/', { limit: 2, cursor: null })).entries,
      ).to.have.length(1)
      await driver.close()
    })

    it('takes them from a file', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mandate-gcs-'))
      try {
        const keyFilename = join(folder, 'key.json')
        const content = { type: 'service_account', universe_domain: universeDomain, ...alice.credentials }
        await writeFile(keyFilename, JSON.stringify(content))
        await (await start({ keyFilename })).close()
        await failure(start({ keyFilename: join(folder, 'missing.json') }), 'backend')
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('quotes nothing of a file that is no key', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mandate-gcs-'))
      const former = process.env.GOOGLE_APPLICATION_CREDENTIALS
      try {
        const file = join(folder, 'key.json')
        await writeFile(file, 'secret')
        process.env.GOOGLE_APPLICATION_CREDENTIALS = file
        const error = await failure(openIdentity({}).headers(), 'backend')
        expect(inspectAll(error)).to.include('the key file is no JSON').and.not.include('secret')
      } finally {
        if (former === undefined) delete process.env.GOOGLE_APPLICATION_CREDENTIALS
        else process.env.GOOGLE_APPLICATION_CREDENTIALS = former
        await rm(folder, { recursive: true })
      }
    })

    it('is refused without, with those of another, and with a key that is none; and never tells them', async () => {
      const { message } = await failure(start({}), 'backend')
      expect(message).to.equal('the storage refuses the credentials of this hub')
      await failure(start({ credentials: mallory.credentials }), 'backend')
      const secret = 'this is no key but it is a secret'
      const credentials = { client_email: 'alice@project.iam', private_key: secret }
      const error = await failure(start({ credentials }), 'backend')
      expect(error.message).to.equal('the credentials for the storage do not work')
      expect(inspectAll(error)).to.not.include(secret)
      expect(Object.keys(error.cause ?? {})).to.deep.equal([])
    })

    it('shows them to no other server', async () => {
      let seen: string | undefined
      const elsewhere = await startGcsServer({
        authorize: (header) => {
          seen = header
          return true
        },
      })
      elsewhere.store.createBucket(bucket)
      const driver = await start({ credentials: alice.credentials })
      try {
        server.elsewhere = elsewhere.url
        await failure(put(driver, key('c'), Buffer.alloc(2_500_000)), 'backend')
        expect(elsewhere.requests.filter((request) => request.startsWith('PUT'))).to.have.length(1)
        expect(seen).to.equal(undefined)
      } finally {
        server.elsewhere = null
        await driver.close()
        await elsewhere.stop()
      }
    })
  })
})

/** Everything that a log could show of an error. */
function inspectAll(error: DriverError): string {
  const causes: unknown[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    causes.push(at.message, at.stack, JSON.stringify(at))
  }
  return causes.join('\n')
}
