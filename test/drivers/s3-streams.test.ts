import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { failure, get, key, put, rejection } from '../../drivers/conformance/harness.ts'
import type { Driver, WriteOptions } from '../../drivers/driver.ts'
import { type S3DriverOptions, s3Driver } from '../../drivers/s3/index.ts'
import { cephServer, installMs, type S3Server } from '../servers/ceph.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { makeBucket, openToAll, type TestBucket } from '../servers/s3-bucket.ts'
import { optionsFor } from './s3-harness.ts'

const at = key('folder/large')
const mebi = 1024 * 1024
const content = randomBytes(20 * mebi)
const size = content.length

/** Pieces as a network brings them. */
async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += 65_000) {
    yield bytes.subarray(i, i + 65_000)
    await turn()
  }
}

function bodyOf(pieces: AsyncGenerator<Buffer>): Readable {
  return Readable.from(pieces, { objectMode: false })
}

/** Pauses after so many bytes. */
async function* pausing(after: number, ms: number): AsyncGenerator<Buffer> {
  yield* piecesOf(content.subarray(0, after))
  await sleep(ms)
  yield* piecesOf(content.subarray(after))
}

async function* failing(bytes: Buffer, error: Error): AsyncGenerator<Buffer> {
  yield* piecesOf(bytes)
  throw error
}

const isPut = ({ method }: IncomingMessage) => method === 'PUT'

describe('s3, bodies of known size that go while they come', () => {
  let server: S3Server
  let bucket: TestBucket
  let proxy: FaultyProxy
  let temp: string
  const opened: Driver[] = []

  async function open(more: Partial<S3DriverOptions> = {}): Promise<Driver> {
    const driver = await s3Driver({
      ...optionsFor(server, bucket.name),
      endpoint: proxy.url,
      tempFolder: temp,
      ...more,
    })
    opened.push(driver)
    proxy.requests.length = 0
    return driver
  }
  const write = (driver: Driver, body: Readable, options: Partial<WriteOptions> = {}) =>
    driver.write(at, body, { contentType: 'a/b', size, ...options })
  const partsSent = () => proxy.requests.filter((request) => request.includes('partNumber=')).length

  before(async function () {
    this.timeout(installMs)
    server = await cephServer()
    bucket = await makeBucket(server)
    await openToAll(bucket)
    temp = await mkdtemp(join(tmpdir(), 'mandate-spool-'))
  })
  beforeEach(async () => {
    proxy = await FaultyProxy.start(server.endpoint)
  })
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close()
    await proxy.stop()
    expect(await readdir(temp)).to.deep.equal([])
    expect(await bucket.leftovers()).to.deep.equal([])
    await bucket.empty()
  })
  after(async () => {
    await bucket.remove()
    await rm(temp, { recursive: true })
  })

  async function expectContent(driver: Driver, bytes: Buffer = content): Promise<void> {
    const found = await driver.read(at)
    const read = await buffer(found?.body ?? Readable.from([]))
    expect(read.equals(bytes), 'the bytes that were written').to.equal(true)
  }

  for (const condition of [undefined, { ifNoneMatch: '*' }] as const) {
    const title = condition === undefined ? 'without a condition' : 'under one'

    it(`are one request, ${title}`, async () => {
      const driver = await open()
      const info = await write(
        driver,
        bodyOf(piecesOf(content)),
        condition === undefined ? {} : { condition },
      )
      expect(proxy.requests.filter((request) => request.startsWith('PUT'))).to.have.length(1)
      expect(await driver.stat(at)).to.deep.include({ etag: info.etag, size })
      await expectContent(driver)
    })
  }

  const broken = new Error('the client went away')
  for (const [title, body, reason] of [
    ['fails half way', () => failing(content.subarray(0, size / 2), broken), broken],
    ['fails after its last byte', () => failing(content, broken), broken],
    ['ends early', () => piecesOf(content.subarray(0, size - 1)), 'backend'],
    ['brings more than it announced', () => piecesOf(Buffer.concat([content, Buffer.alloc(1)])), 'backend'],
  ] as const) {
    it(`leave the former version where one ${title}`, async () => {
      // Straight to the server, which then has what came of the body.
      const driver = await open({ endpoint: server.endpoint })
      const former = await put(driver, at, 'former')
      for (const options of [{}, { condition: { ifMatch: former.etag } }]) {
        const writing = write(driver, bodyOf(body()), options)
        if (reason === 'backend') await failure(writing, reason)
        else expect(await rejection(writing)).to.equal(reason)
      }
      // What the server makes of it, it makes within this time.
      await sleep(150)
      expect((await get(driver, at)).info.etag).to.equal(former.etag)
      await driver.check()
    })
  }

  it('are sent again where the storage refuses them at their beginning', async () => {
    const driver = await open()
    let left = 1
    proxy.refuseEarly = (request) => (isPut(request) && left-- > 0 ? 503 : null)
    await write(driver, bodyOf(pausing(2 * mebi, 200)))
    expect(left).to.equal(-1)
    await expectContent(driver)
  })

  for (const fate of [{ do: 'answer', status: 503 }, { do: 'lose the answer' }] as const) {
    it(`cannot be sent again later, which is told: ${fate.do}`, async () => {
      const driver = await open()
      proxy.decide = (request) => (isPut(request) ? fate : { do: 'pass' })
      const body = bodyOf(piecesOf(content))
      await failure(write(driver, body), 'unavailable')
      expect(body.destroyed).to.equal(true)
      expect(proxy.requests.filter((request) => request.startsWith('PUT'))).to.have.length(1)
    })
  }

  it('under a condition, are known to be stored where only the answer was lost', async () => {
    const driver = await open()
    const former = await put(driver, at, 'former')
    proxy.decide = (request) => (isPut(request) ? { do: 'lose the answer' } : { do: 'pass' })
    const written = await write(driver, bodyOf(piecesOf(content)), { condition: { ifMatch: former.etag } })
    expect(written.etag).to.not.equal(former.etag)
    expect((await driver.stat(at))?.etag).to.equal(written.etag)
  })

  it('lose to a write that came first while they came', async () => {
    const driver = await open()
    const former = await put(driver, at, 'former')
    const slow = write(driver, bodyOf(pausing(4 * mebi, 300)), { condition: { ifMatch: former.etag } })
    await sleep(100)
    const winner = await put(driver, at, 'winner', { condition: { ifMatch: former.etag } })
    expect((await failure(slow, 'precondition_failed')).etag).to.equal(winner.etag)
    expect((await get(driver, at)).text).to.equal('winner')
  })

  it('may pause for longer than the storage may', async () => {
    const driver = await open({ requestTimeoutMs: 1500 })
    await write(driver, bodyOf(pausing(4 * mebi, 2200)))
    await expectContent(driver)
  })

  it('are given up where the storage takes too long', async () => {
    const driver = await open({ requestTimeoutMs: 300, maxAttempts: 1 })
    proxy.decide = (request) => (isPut(request) ? { do: 'be silent' } : { do: 'pass' })
    const size = 9 * mebi
    const body = bodyOf(piecesOf(content.subarray(0, size)))
    await failure(write(driver, body, { size }), 'unavailable')
  })

  it('go in parts where they come slowly', async () => {
    const driver = await open()
    await write(driver, bodyOf(pausing(mebi / 2, 700)))
    expect(partsSent()).to.equal(3)
    await expectContent(driver)
  })

  it('leave half of the connections to others: further ones go in parts', async () => {
    const driver = await open({ maxSockets: 4 })
    const writes = [0, 1, 2].map((i) =>
      driver.write(key(`${i}`), bodyOf(pausing(2 * mebi, 1000)), { contentType: 'a/b', size }),
    )
    await sleep(500)
    await put(driver, at, 'small')
    await Promise.all(writes)
    expect(partsSent()).to.equal(3)
    // What they took was given back.
    await write(driver, bodyOf(piecesOf(content)))
    expect(partsSent()).to.equal(3)
  })

  it('go in parts over a server that stores what came of a body that broke off', async () => {
    proxy.passesCutBodies = true
    const driver = await open({ credentials: 'anonymous' })
    await put(driver, at, 'former')
    const body = bodyOf(failing(content.subarray(0, size / 2), broken))
    expect(await rejection(write(driver, body))).to.equal(broken)
    expect((await get(driver, at)).text).to.equal('former')
    await write(driver, bodyOf(piecesOf(content)))
    expect(partsSent()).to.be.at.least(3)
    await expectContent(driver)
  })
})
