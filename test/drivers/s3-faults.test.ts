import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { failure, get, key, put, rejection } from '../../drivers/conformance/harness.ts'
import type { Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { type S3DriverOptions, s3Driver } from '../../drivers/s3/index.ts'
import { cephServer, installMs, type S3Server } from '../servers/ceph.ts'
import { type Fate, FaultyProxy } from '../servers/faulty-proxy.ts'
import { makeBucket, type TestBucket } from '../servers/s3-bucket.ts'
import { optionsFor } from './s3-harness.ts'

const at = key('folder/file')
const large = Buffer.alloc(9_000_000, 'large')
const etag = '0123456789abcdef0123456789abcdef'

/** Every operation of a driver that asks the service for something. */
const operations: ReadonlyArray<readonly [name: string, run: (driver: Driver) => Promise<unknown>]> = [
  ['stat', (driver) => driver.stat(at)],
  ['read', (driver) => driver.read(at)],
  ['read a range', (driver) => driver.read(at, { range: { suffix: 1 } })],
  ['write', (driver) => put(driver, at, 'x')],
  ['write in parts', (driver) => put(driver, at, large)],
  ['write under a condition', (driver) => put(driver, at, 'x', { condition: { ifMatch: etag } })],
  ['create', (driver) => put(driver, at, 'x', { condition: { ifNoneMatch: '*' } })],
  ['delete', (driver) => driver.delete(at)],
  ['delete under a condition', (driver) => driver.delete(at, { condition: { ifMatch: etag } })],
  ['copy', (driver) => driver.copy(at, key('copy'))],
  ['list', (driver) => driver.list('1Conformance/', { limit: 10, cursor: null })],
  ['listBuckets', (driver) => driver.listBuckets({ limit: 10, cursor: null })],
  ['check', (driver) => driver.check()],
]

describe('s3, when the service or the network fails', () => {
  let server: S3Server
  let bucket: TestBucket
  let proxy: FaultyProxy
  const opened: Driver[] = []

  /** By way of the proxy. */
  async function open(more: Partial<S3DriverOptions> = {}): Promise<Driver> {
    const driver = await s3Driver({ ...optionsFor(server, bucket.name), endpoint: proxy.url, ...more })
    opened.push(driver)
    return driver
  }

  before(async function () {
    this.timeout(installMs)
    server = await cephServer()
    bucket = await makeBucket(server)
  })
  beforeEach(async () => {
    proxy = await FaultyProxy.start(server.endpoint)
  })
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close()
    await proxy.stop()
    await bucket.empty()
  })
  after(() => bucket.remove())

  function expectDiscreet({ message }: Error): void {
    expect(message).to.not.match(/127\.0\.0\.1|localhost/)
    expect(message).to.not.include(server.secretAccessKey)
    expect(message).to.not.include(server.accessKeyId)
  }

  it('says unavailable, and nothing of where it is, when nobody listens', async () => {
    const driver = await open({ maxAttempts: 1 })
    await proxy.stop()
    for (const [, run] of operations) expectDiscreet(await failure(run(driver), 'unavailable'))
    proxy = await FaultyProxy.start(server.endpoint)
  })

  for (const [status, expected] of [
    [500, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [429, 'unavailable'],
    [408, 'unavailable'],
    [400, 'backend'],
    [401, 'backend'],
    [403, 'backend'],
    [301, 'backend'],
    [501, 'backend'],
  ] as const) {
    it(`${status} is ${expected}, whatever was asked`, async () => {
      const driver = await open({ maxAttempts: 1 })
      proxy.decide = () => ({ do: 'answer', status })
      for (const [name, run] of operations) {
        const error = await rejection(run(driver))
        expect(error, name).to.be.instanceOf(DriverError)
        expect((error as DriverError).code, name).to.equal(expected)
        expectDiscreet(error as DriverError)
      }
    })
  }

  it('a bucket that is gone is a fault of the backend, not an object that is not there', async () => {
    const other = await makeBucket(server)
    const driver = await open({ bucket: other.name })
    await other.remove()
    for (const [name, run] of operations) {
      const error = await rejection(run(driver))
      expect(error, name).to.include({ name: 'DriverError', code: 'backend' })
    }
  })

  it('a service that says nothing is given up', async () => {
    const driver = await open({ maxAttempts: 1, requestTimeoutMs: 300 })
    proxy.decide = () => ({ do: 'be silent' })
    await Promise.all(operations.map(([, run]) => failure(run(driver), 'unavailable')))
  })

  for (const fate of [{ do: 'answer', status: 503 }, { do: 'lose the answer' }] as const) {
    it(`a request is sent again when the service does so in passing: ${fate.do}`, async () => {
      const driver = await open()
      for (const [name, run] of operations) {
        if (name === 'create' || name.includes('condition')) continue
        await put(driver, at, 'there')
        let left = 1
        proxy.decide = () => (left-- > 0 ? fate : { do: 'pass' })
        await run(driver)
        expect(left, name).to.be.below(0)
      }
    })
  }

  it('a request that keeps failing is sent as often as it is said', async () => {
    const driver = await open({ maxAttempts: 3 })
    proxy.decide = () => ({ do: 'answer', status: 503 })
    proxy.requests.length = 0
    await failure(driver.stat(at), 'unavailable')
    expect(proxy.requests).to.have.length(3)
  })

  /** The answer to the first request that changes something is lost, and the SDK asks again. */
  function loseFirstChange(): void {
    let left = 1
    proxy.decide = ({ method }): Fate =>
      method === 'PUT' && left-- > 0 ? { do: 'lose the answer' } : { do: 'pass' }
  }

  for (const [title, size] of [
    ['small', 10],
    ['large', large.length],
  ] as const) {
    const bytes = large.subarray(0, size)

    it(`a ${title} creation whose answer was lost is known to have succeeded`, async () => {
      const driver = await open()
      loseFirstChange()
      const written = await put(driver, at, bytes, { condition: { ifNoneMatch: '*' } })
      expect(await driver.stat(at)).to.deep.include({ etag: written.etag, size })
    })

    it(`a ${title} update whose answer was lost is known to have succeeded`, async () => {
      const driver = await open()
      const former = await put(driver, at, 'former')
      loseFirstChange()
      const written = await put(driver, at, bytes, { condition: { ifMatch: former.etag } })
      expect(written.etag).to.not.equal(former.etag)
      expect(await driver.stat(at)).to.deep.include({ etag: written.etag, size })
    })
  }

  it('a deletion under a condition whose answer was lost is known to have succeeded', async () => {
    const driver = await open()
    const former = await put(driver, at, 'former')
    loseFirstChange()
    await driver.delete(at, { condition: { ifMatch: former.etag } })
    expect(await bucket.keys()).to.deep.equal([])
  })

  const deletesSent = () => proxy.requests.filter((request) => request.startsWith('DELETE')).length

  it('the mark of a deletion is removed by one request, which may be lost on its way', async () => {
    const driver = await open({ requestTimeoutMs: 300 })
    for (const fate of [{ do: 'lose the answer' }, { do: 'be silent' }] as const) {
      const { etag: former } = await put(driver, at, 'former')
      proxy.requests.length = 0
      proxy.decide = ({ method }) => (method === 'DELETE' ? fate : { do: 'pass' })
      await driver.delete(at, { condition: { ifMatch: former } })
      expect(deletesSent()).to.equal(1)
      // A second one could take what somebody created after the first.
      expect(await bucket.keys()).to.have.length(fate.do === 'be silent' ? 1 : 0)
      expect(await driver.stat(at)).to.equal(null)
    }
  })

  it('the mark of a deletion is removed by another request where the storage refused the first', async () => {
    const driver = await open()
    await put(driver, at, 'former')
    proxy.requests.length = 0
    let left = 2
    proxy.decide = ({ method }) =>
      method === 'DELETE' && left-- > 0 ? { do: 'answer', status: 503 } : { do: 'pass' }
    await driver.delete(at)
    expect(deletesSent()).to.equal(3)
    expect(await bucket.keys()).to.deep.equal([])
  })

  it('what is created after a deletion is not taken by another deleter of the same', async () => {
    const driver = await open()
    const other = await open({ endpoint: server.endpoint })
    const { etag: former } = await put(driver, at, 'former')
    const held: (() => void)[] = []
    proxy.decide = async ({ method }) => {
      if (method === 'DELETE') await new Promise<void>((resolve) => held.push(resolve))
      return { do: 'pass' }
    }
    const deleting = driver.delete(at, { condition: { ifMatch: former } })
    while (held.length === 0) await sleep(10)
    await failure(other.delete(at), 'not_found')
    const creating = put(other, at, 'created', { condition: { ifNoneMatch: '*' } })
    await sleep(100)
    held[0]?.()
    await Promise.all([deleting, creating])
    expect((await get(driver, at)).text).to.equal('created')
  })

  it('a creation that came too late is not taken for one whose answer was lost', async () => {
    const driver = await open()
    const other = await open()
    await put(other, at, 'first', { condition: { ifNoneMatch: '*' } })
    loseFirstChange()
    await failure(put(driver, at, 'late', { condition: { ifNoneMatch: '*' } }), 'precondition_failed')
    expect((await get(driver, at)).text).to.equal('first')
  })

  for (const fate of ['cut the answer', 'stall the answer'] as const) {
    it(`a body is destroyed, and does not end short, when the service does so: ${fate}`, async () => {
      const driver = await open({ requestTimeoutMs: 300 })
      await put(driver, at, 'x'.repeat(1_000_000))
      proxy.decide = () => ({ do: fate, after: 500_000 })
      for (const range of [undefined, { first: 100 }]) {
        const result = await driver.read(at, range === undefined ? {} : { range })
        if (result === null) throw new Error('nothing to read')
        expect(result.info.size).to.equal(1_000_000)
        await failure(buffer(result.body), 'unavailable')
      }
    })
  }

  it('a reader may take its time', async () => {
    const driver = await open({ requestTimeoutMs: 200 })
    await put(driver, at, large)
    const result = await driver.read(at)
    if (result === null) throw new Error('nothing to read')
    const chunks = result.body[Symbol.asyncIterator]()
    let size = ((await chunks.next()).value as Buffer).length
    await sleep(700)
    for await (const chunk of chunks) size += (chunk as Buffer).length
    expect(size).to.equal(large.length)
  })

  it('opens no more connections than it may, and frees them', async () => {
    const driver = await open({ maxSockets: 3 })
    const work = Array.from({ length: 30 }, (_, i) =>
      put(driver, key(`many/${i}`), large.subarray(0, i * 1000)),
    )
    await Promise.all([...work, put(driver, at, large)])
    // Bodies that are dropped must not keep theirs.
    for (let i = 0; i < 10; i++) (await driver.read(at))?.body.destroy()
    await driver.check()
    expect(proxy.mostSockets).to.equal(3)
    await driver.close()
    for (let tries = 0; proxy.sockets.size > 0 && tries < 100; tries++) await sleep(10)
    expect(proxy.sockets.size).to.equal(0)
  })
})
