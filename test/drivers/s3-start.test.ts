import type { IncomingMessage } from 'node:http'
import { HeadBucketCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { expect } from 'chai'
import { failure, get, key, put } from '../../drivers/conformance/harness.ts'
import type { Driver } from '../../drivers/driver.ts'
import { type S3DriverOptions, s3Driver } from '../../drivers/s3/index.ts'
import { cephServer, installMs, type S3Server } from '../servers/ceph.ts'
import { type Fate, FaultyProxy } from '../servers/faulty-proxy.ts'
import { clientOf, makeBucket, openToAll, type TestBucket } from '../servers/s3-bucket.ts'
import { optionsFor } from './s3-harness.ts'

const at = key('folder/file')

const isPut = ({ method, url }: IncomingMessage) => method === 'PUT' && !url?.includes('uploadId')
const isDelete = ({ method, url }: IncomingMessage) => method === 'DELETE' && !url?.includes('uploadId')
const isList = ({ method, url }: IncomingMessage) => method === 'GET' && url?.includes('list-type=2') === true
const isRead = (request: IncomingMessage) => request.method === 'GET' && !isList(request)

describe('s3, at its start', () => {
  let server: S3Server
  let bucket: TestBucket
  let proxy: FaultyProxy
  const opened: Driver[] = []

  /** To the test's bucket, unsigned, by way of the proxy. */
  const anonymous = (): S3DriverOptions => ({
    endpoint: proxy.url,
    bucket: bucket.name,
    credentials: 'anonymous',
    maxAttempts: 1,
  })
  const open = async (options: S3DriverOptions): Promise<Driver> => {
    const driver = await s3Driver(options)
    opened.push(driver)
    return driver
  }

  before(async function () {
    this.timeout(installMs)
    server = await cephServer()
  })
  beforeEach(async () => {
    bucket = await makeBucket(server)
    await openToAll(bucket)
    proxy = await FaultyProxy.start(server.endpoint)
  })
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close()
    await proxy.stop()
    await bucket.remove()
  })

  it('leaves nothing behind in the bucket', async () => {
    await open(optionsFor(server, bucket.name))
    expect(await bucket.keys()).to.deep.equal([])
    const uploads = await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }))
    expect(uploads.Uploads ?? []).to.deep.equal([])
  })

  it('refuses a bucket that does not exist, and says what would make it', async () => {
    const missing = optionsFor(server, `${bucket.name}-missing`)
    expect((await failure(s3Driver(missing), 'backend')).message).to.include('createBucket: true')
    const client = clientOf(server)
    const status = await client.send(new HeadBucketCommand({ Bucket: missing.bucket })).then(
      () => 200,
      (error: { $metadata: { httpStatusCode?: number } }) => error.$metadata.httpStatusCode,
    )
    expect(status).to.equal(404)
    client.destroy()
  })

  it('makes the bucket where it is told to, also when two hubs do so at once', async () => {
    const options = { ...optionsFor(server, `${bucket.name}-made`), createBucket: true }
    const [driver, other] = await Promise.all([open(options), open(options)])
    await put(driver, at, 'made')
    expect((await get(other, at)).text).to.equal('made')
    await driver.delete(at)
    await bucket.removeOther(options.bucket)
  })

  it('takes a bucket that is there already where it may make one', async () => {
    const driver = await open({ ...optionsFor(server, bucket.name), createBucket: true })
    await driver.check()
  })

  for (const [what, wrong] of [
    ['an unknown key', { accessKeyId: 'mallory' }],
    ['a wrong secret', { secretAccessKey: 'mallorys guess' }],
  ] as const) {
    it(`refuses ${what} as a fault of the backend, and repeats no secret`, async () => {
      const right = { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey }
      const keys = { ...right, ...wrong }
      const options = { ...optionsFor(server, bucket.name), credentials: keys }
      const { message } = await failure(s3Driver(options), 'backend')
      expect(message).to.match(/403/)
      for (const secret of [...Object.values(keys), '127.0.0.1']) expect(message).to.not.include(secret)
    })
  }

  it('is unavailable where nobody listens', async () => {
    const options = anonymous()
    await proxy.stop()
    const { message } = await failure(s3Driver(options), 'unavailable')
    expect(message).to.not.include('127.0.0.1')
    proxy = await FaultyProxy.start(server.endpoint)
  })

  it('works without a signature where everybody may do everything', async () => {
    const driver = await open(anonymous())
    expect(driver.capabilities).to.deep.equal({
      atomicConditions: true,
      atomicDeletes: false,
      presign: false,
      range: true,
    })
    const { etag } = await put(driver, at, 'hello')
    await failure(put(driver, at, 'again', { condition: { ifNoneMatch: '*' } }), 'precondition_failed')
    await driver.delete(at, { condition: { ifMatch: etag } })
  })

  it("finds its credentials where the SDK's chain finds them", async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env
    try {
      process.env.AWS_ACCESS_KEY_ID = server.accessKeyId
      process.env.AWS_SECRET_ACCESS_KEY = server.secretAccessKey
      const driver = await open({ endpoint: server.endpoint, bucket: bucket.name })
      await put(driver, at, 'by the environment')
    } finally {
      restore('AWS_ACCESS_KEY_ID', AWS_ACCESS_KEY_ID)
      restore('AWS_SECRET_ACCESS_KEY', AWS_SECRET_ACCESS_KEY)
    }
  })

  const refuse: Fate = { do: 'answer', status: 403 }
  for (const [verb, isRefused] of [
    ['write an object', isPut],
    ['read an object', isRead],
    ['list objects', isList],
    ['delete an object', isDelete],
  ] as const) {
    it(`says that it may not ${verb}`, async () => {
      proxy.decide = (request) => (isRefused(request) ? refuse : { do: 'pass' })
      const { message } = await failure(s3Driver(anonymous()), 'backend')
      // It writes in more places than one.
      expect(message).to.match(
        verb === 'write an object' ? /cannot be used: .*403/ : new RegExp(`${verb}: .*403`),
      )
    })
  }

  const ignoring: ReadonlyArray<readonly [title: string, decide: (request: IncomingMessage) => Fate]> = [
    ['ignores conditions', () => ({ do: 'pass', without: ['if-match', 'if-none-match'] })],
    ['ignores If-Match alone', () => ({ do: 'pass', without: ['if-match'] })],
    ['ignores If-None-Match alone', () => ({ do: 'pass', without: ['if-none-match'] })],
    [
      'does not know of conditions',
      ({ headers, method }) =>
        method === 'PUT' && (headers['if-match'] ?? headers['if-none-match']) !== undefined
          ? { do: 'answer', status: 501 }
          : { do: 'pass' },
    ],
  ]
  for (const [title, decide] of ignoring) {
    it(`refuses a server that ${title}, and leaves nothing there`, async () => {
      proxy.decide = decide
      const { message } = await failure(s3Driver(anonymous()), 'backend')
      expect(message).to.include('allowUnsafeConditions: true')
      expect(await bucket.keys()).to.deep.equal([])
    })

    it(`takes a server that ${title} where it is told to, and says so`, async () => {
      proxy.decide = decide
      const driver = await open({ ...anonymous(), allowUnsafeConditions: true })
      expect(driver.capabilities.atomicConditions).to.equal(false)
      const former = await put(driver, at, 'former', { condition: { ifNoneMatch: '*' } })
      const large = Buffer.alloc(9_000_000, 'x')
      const current = await put(driver, at, large, { condition: { ifMatch: former.etag } })
      for (const condition of [{ ifNoneMatch: '*' }, { ifMatch: former.etag }] as const) {
        await failure(put(driver, at, 'no', { condition }), 'precondition_failed')
        await failure(put(driver, at, large, { condition }), 'precondition_failed')
      }
      await failure(driver.delete(at, { condition: { ifMatch: former.etag } }), 'precondition_failed')
      await driver.delete(at, { condition: { ifMatch: current.etag } })
      expect(await driver.stat(at)).to.equal(null)
    })
  }

  it('takes a server that ignores conditions and has no uploads in parts, and says what it lacks otherwise', async () => {
    proxy.decide = ({ url }) =>
      /[?&]upload(s|Id)/.test(url ?? '')
        ? { do: 'answer', status: 501 }
        : { do: 'pass', without: ['if-match', 'if-none-match'] }
    const { message } = await failure(s3Driver(anonymous()), 'backend')
    expect(message).to.include('allowUnsafeConditions: true')
    const driver = await open({ ...anonymous(), allowUnsafeConditions: true })
    expect(driver.capabilities.atomicConditions).to.equal(false)
  })

  it('refuses a server that is broken half way, and does not take that for an answer', async () => {
    proxy.decide = ({ headers }) =>
      headers['if-match'] === undefined ? { do: 'pass' } : { do: 'answer', status: 503 }
    await failure(s3Driver({ ...anonymous(), allowUnsafeConditions: true }), 'unavailable')
  })
})

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
