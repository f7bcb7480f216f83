import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { HeadObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { expect } from 'chai'
import { failure, get, key, put, rejection } from '../../drivers/conformance/harness.ts'
import type { Driver, WriteOptions } from '../../drivers/driver.ts'
import { s3Driver } from '../../drivers/s3/index.ts'
import { partBytes } from '../../drivers/s3/part-memory.ts'
import { cephServer, installMs, type S3Server } from '../servers/ceph.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { makeBucket, openToAll, type TestBucket } from '../servers/s3-bucket.ts'
import { StrictS3 } from '../servers/strict-s3.ts'
import { optionsFor } from './s3-harness.ts'

const at = key('folder/large')
const mebi = 1024 * 1024
const content = randomBytes(20 * mebi)

/** In pieces as a network brings them; fails at the end where there is an error. */
function bodyOf(bytes: Buffer, error?: Error): Readable {
  async function* pieces() {
    for (let i = 0; i < bytes.length; i += 65_000) {
      yield bytes.subarray(i, i + 65_000)
      await turn()
    }
    if (error !== undefined) throw error
  }
  return Readable.from(pieces(), { objectMode: false })
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function hashOfStored(driver: Driver): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of (await driver.read(at))?.body ?? []) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

describe('s3, bodies larger than a part', () => {
  let server: S3Server
  let bucket: TestBucket
  let proxy: FaultyProxy
  let strict: StrictS3
  let temp: string
  let driver: Driver
  let native: Driver

  before(async function () {
    this.timeout(installMs)
    server = await cephServer()
    bucket = await makeBucket(server)
    await openToAll(bucket)
    proxy = await FaultyProxy.start(server.endpoint)
    strict = await StrictS3.start(server.endpoint)
    temp = await mkdtemp(join(tmpdir(), 'mandate-spool-'))
    driver = await s3Driver({ ...optionsFor(server, bucket.name), endpoint: proxy.url, tempFolder: temp })
    native = await s3Driver({ endpoint: strict.url, bucket: bucket.name, credentials: 'anonymous' })
  })
  beforeEach(() => {
    proxy.decide = () => ({ do: 'pass' })
    proxy.requests.length = 0
    strict.requests.length = 0
  })
  afterEach(async () => {
    expect(await uploads()).to.deep.equal([])
    expect(await readdir(temp)).to.deep.equal([])
    await bucket.empty()
  })
  after(async () => {
    await driver.close()
    await native.close()
    await proxy.stop()
    await strict.stop()
    await bucket.remove()
    await rm(temp, { recursive: true })
  })

  async function uploads(): Promise<string[]> {
    const { Uploads } = await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }))
    return (Uploads ?? []).map(({ Key }) => Key ?? '')
  }
  const write = (bytes: Buffer, options: Partial<WriteOptions> = {}, by = driver) =>
    by.write(at, bodyOf(bytes), { contentType: 'a/b', ...options })

  for (const size of [partBytes, partBytes + 1, 2 * partBytes, content.length]) {
    for (const isKnown of [true, false]) {
      it(`${size} bytes ${isKnown ? 'announced' : 'of unknown length'} come back the same`, async () => {
        const bytes = content.subarray(0, size)
        const info = await write(bytes, isKnown ? { size } : {})
        expect(info.size).to.equal(size)
        expect(await driver.stat(at)).to.deep.include({ etag: info.etag, size, contentType: 'a/b' })
        expect(await hashOfStored(driver)).to.equal(hashOf(bytes))
        const wasInParts = proxy.requests.some((request) => request.includes('partNumber='))
        expect(wasInParts).to.equal(!isKnown && size > partBytes)
      })
    }
  }

  it('one buffer of any size is cut into parts', async () => {
    await put(driver, at, content)
    expect(proxy.requests.filter((request) => request.includes('partNumber='))).to.have.length(3)
    expect(await hashOfStored(driver)).to.equal(hashOf(content))
  })

  it('type and cache control stand where everybody finds them', async () => {
    for (const size of [10, content.length]) {
      await write(content.subarray(0, size), { contentType: 'text/x; y=z', cacheControl: 'max-age=7' })
      const head = await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: at }))
      expect(head).to.include({ ContentType: 'text/x; y=z', CacheControl: 'max-age=7', ContentLength: size })
    }
  })

  for (const condition of [undefined, { ifNoneMatch: '*' }] as const) {
    for (const [name, by] of [
      ['the gateway', () => driver],
      ['a server that holds uploads to conditions', () => native],
    ] as const) {
      const title = condition === undefined ? 'without a condition' : 'under one'
      it(`a body that fails half way leaves nothing at ${name}, ${title}`, async () => {
        const error = new Error('the client went away')
        const body = bodyOf(content, error)
        const options = { contentType: 'a/b', ...(condition === undefined ? {} : { condition }) }
        expect(await rejection(by().write(at, body, options))).to.equal(error)
        expect(await bucket.keys()).to.deep.equal([])
      })
    }
  }

  for (const [title, hit, status, code] of [
    ['begun', 'uploads', 403, 'backend'],
    ['a part of it sent', 'partNumber=2', 403, 'backend'],
    ['completed', 'POST', 403, 'backend'],
    ['a part of it sent, as the service is overloaded', 'partNumber=2', 503, 'unavailable'],
  ] as const) {
    it(`an upload that cannot be ${title} leaves nothing, and the body is destroyed`, async () => {
      proxy.decide = ({ method, url }) => {
        const isHit =
          hit === 'POST' ? method === 'POST' && url?.includes('uploadId') : url?.includes(hit) === true
        return isHit === true ? { do: 'answer', status } : { do: 'pass' }
      }
      const body = bodyOf(Buffer.concat([content, content]))
      await failure(driver.write(at, body, { contentType: 'a/b' }), code)
      expect(body.destroyed).to.equal(true)
      expect(await bucket.keys()).to.deep.equal([])
    })
  }

  it('a part that fails ends a body that waits for more, at once', async () => {
    proxy.decide = ({ url }) =>
      url?.includes('partNumber=1') === true ? { do: 'answer', status: 403 } : { do: 'pass' }
    const body = new Readable({ read() {} })
    body.push(content)
    await failure(driver.write(at, body, { contentType: 'a/b' }), 'backend')
    expect(body.destroyed).to.equal(true)
  })

  it('where uploads are not held to conditions, a large body under one is one put', async () => {
    const former = await write(content.subarray(0, 10))
    proxy.requests.length = 0
    await write(content, { condition: { ifMatch: former.etag } })
    expect(proxy.requests.filter((request) => /uploadId|uploads/.test(request))).to.deep.equal([])
    expect(await hashOfStored(driver)).to.equal(hashOf(content))
  })

  it('where uploads are held to conditions, a large body under one goes in parts', async () => {
    const former = await write(content.subarray(0, 10), {}, native)
    await write(content, { condition: { ifMatch: former.etag } }, native)
    expect(strict.requests.filter((request) => request.includes('partNumber='))).to.have.length(3)
    expect(await hashOfStored(native)).to.equal(hashOf(content))
  })

  it('where copies are not held to the version of their source, that version is read and written', async () => {
    const { etag } = await put(driver, at, 'source')
    let copies = 0
    proxy.decide = ({ headers }) => {
      if (headers['x-amz-copy-source'] !== undefined) copies++
      return { do: 'pass' }
    }
    await driver.copy(at, key('copy'), { ifMatch: etag })
    expect(copies).to.equal(0)
    expect((await get(driver, key('copy'))).text).to.equal('source')
  })

  it('a large body that no place is found for is unavailable, and leaves what was there', async () => {
    const options = { ...optionsFor(server, bucket.name), tempFolder: join(temp, 'missing') }
    const homeless = await s3Driver(options)
    await put(homeless, at, 'former')
    const former = await homeless.stat(at)
    const condition = { ifMatch: former?.etag ?? '' }
    await failure(put(homeless, at, content, { condition }), 'unavailable')
    expect((await get(homeless, at)).text).to.equal('former')
    await homeless.close()
  })

  for (const [name, by] of [
    ['by one put each', () => driver],
    ['in parts', () => native],
  ] as const) {
    it(`one of four large writers with one etag wins, ${name}`, async () => {
      const { etag } = await write(content.subarray(0, 10), {}, by())
      const bodies = [0, 1, 2, 3].map((i) => content.subarray(i * mebi, i * mebi + 9 * mebi))
      const outcomes = await Promise.allSettled(
        bodies.map((bytes) => write(bytes, { condition: { ifMatch: etag } }, by())),
      )
      const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
      expect(winners).to.have.length(1)
      expect(await hashOfStored(by())).to.equal(hashOf(bodies[winners[0] ?? 0] ?? content))
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).to.include({ code: 'precondition_failed' })
      }
    })
  }

  it('memory does not grow with a body, nor much with many at once', async () => {
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }, 5)
    const piece = randomBytes(mebi)
    const body = () => Readable.from(Array.from({ length: 64 }, () => piece))
    // Not by way of the proxy, which keeps bodies in this process.
    const direct = await s3Driver(optionsFor(server, bucket.name))
    await Promise.all(
      [0, 1, 2, 3].map((i) => direct.write(key(`large/${i}`), body(), { contentType: 'a/b' })),
    )
    clearInterval(watch)
    await direct.close()
    // Twelve parts under way, one to come of each, and some garbage; the bodies have 256 MiB.
    expect((most - before) / mebi).to.be.below((12 + 4) * 8 + 60)
  })
})
