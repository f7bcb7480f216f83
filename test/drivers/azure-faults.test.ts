import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type AzureDriverOptions, azureDriver } from '../../drivers/azure/index.ts'
import { bodyOf, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import type { Driver } from '../../drivers/driver.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { type AzureStorage, azureStorage } from './azure-harness.ts'

const at = key('folder/file')
const list = { limit: 10, cursor: null }
const blockBytes = 100_000

/** Every operation of a driver that asks the service for something. */
const operations: ReadonlyArray<readonly [name: string, run: (driver: Driver) => Promise<unknown>]> = [
  ['stat', (driver) => driver.stat(at)],
  ['read', (driver) => driver.read(at)],
  ['read a suffix', (driver) => driver.read(at, { range: { suffix: 1 } })],
  ['write', (driver) => put(driver, at, 'x')],
  ['write in blocks', (driver) => put(driver, at, Buffer.alloc(blockBytes * 3))],
  ['write under a condition', (driver) => put(driver, at, 'x', { condition: { ifMatch: '0x1' } })],
  ['delete', (driver) => driver.delete(at)],
  ['delete under a condition', (driver) => driver.delete(at, { condition: { ifMatch: '0x1' } })],
  ['copy', (driver) => driver.copy(at, key('copy'))],
  ['list', (driver) => driver.list('1Conformance/', list)],
  ['listBuckets', (driver) => driver.listBuckets(list)],
  ['check', (driver) => driver.check()],
]

describe('azure, when the service or the network fails', () => {
  let storage: AzureStorage
  let proxy: FaultyProxy
  let port: string
  const opened: Driver[] = []

  /** Over the same container, by way of the proxy. */
  async function open(more: Partial<AzureDriverOptions> = {}): Promise<Driver> {
    const driver = await azureDriver({ ...storage.options, endpoint: proxy.url, blockBytes, ...more })
    opened.push(driver)
    return driver
  }

  beforeEach(async () => {
    const server = await sharedAzurite()
    storage = await azureStorage(server)
    proxy = await FaultyProxy.start(server.endpoint)
    port = new URL(proxy.url).port
  })
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close()
    await proxy.stop()
    await storage.close()
  })

  /** What a fault must not tell. */
  function expectDiscreet(message: string): void {
    expect(message).to.not.match(/127\.0\.0\.1|localhost/)
    expect(message).to.not.include(storage.options.accountKey)
    expect(message).to.not.include(port)
  }

  it('says unavailable, and nothing of where it is, when nobody listens', async () => {
    const driver = await open({ maxTries: 1 })
    await proxy.stop()
    for (const [, run] of operations) expectDiscreet((await failure(run(driver), 'unavailable')).message)
    proxy = await FaultyProxy.start((await sharedAzurite()).endpoint)
  })

  for (const [status, code, expected] of [
    [503, 'ServerBusy', 'unavailable'],
    [500, 'OperationTimedOut', 'unavailable'],
    [429, 'TooManyRequests', 'unavailable'],
    [502, '', 'unavailable'],
    [401, 'NoAuthenticationInformation', 'backend'],
    [403, 'AuthenticationFailed', 'backend'],
    [403, 'AuthorizationPermissionMismatch', 'backend'],
    [404, 'ContainerNotFound', 'backend'],
    [404, 'ResourceNotFound', 'backend'],
    [404, '', 'backend'],
    [409, 'AccountBeingCreated', 'unavailable'],
    [412, 'LeaseIdMissing', 'busy'],
  ] as const) {
    it(`${status} ${code} is ${expected}, whatever was asked`, async () => {
      const driver = await open({ maxTries: 1 })
      proxy.decide = () => ({ do: 'answer', status, headers: code === '' ? {} : { 'x-ms-error-code': code } })
      for (const [, run] of operations) expectDiscreet((await failure(run(driver), expected)).message)
    })
  }

  it('a container that is gone is a fault of the backend, not an object that is not there', async () => {
    const driver = await open()
    await storage.remove()
    for (const [, run] of operations) await failure(run(driver), 'backend')
    await storage.remake()
  })

  it('a service that says nothing is given up', async () => {
    const driver = await open({ maxTries: 1, timeoutMs: 100 })
    proxy.decide = () => ({ do: 'be silent' })
    for (const [, run] of operations) await failure(run(driver), 'unavailable')
  })

  for (const fate of [{ do: 'answer', status: 503 }, { do: 'lose the answer' }] as const) {
    it(`a request is sent again when the service does so in passing: ${fate.do}`, async () => {
      const driver = await open()
      for (const [name, run] of operations) {
        // Conditions are about no version here, and of what was deleted nobody can say by whom.
        if (name.includes('condition') || (name === 'delete' && fate.do !== 'answer')) continue
        await put(driver, at, 'there')
        let left = 1
        proxy.decide = () => (left-- > 0 ? fate : { do: 'pass' })
        await run(driver)
        expect(left).to.be.below(0)
      }
    })
  }

  it('a request that keeps failing is sent as often as it is said', async () => {
    const driver = await open({ maxTries: 3 })
    proxy.decide = () => ({ do: 'answer', status: 503 })
    proxy.requests.length = 0
    await failure(driver.stat(at), 'unavailable')
    expect(proxy.requests).to.have.length(3)
  })

  for (const [title, content] of [
    ['of one request', 'new'],
    ['in blocks', 'new'.repeat(blockBytes)],
  ] as const) {
    it(`a write ${title} under a condition whose answer got lost has succeeded`, async () => {
      const driver = await open()
      for (const create of [true, false]) {
        if (create) await driver.delete(at).catch(() => undefined)
        const { etag } = create ? { etag: '' } : await put(driver, at, 'former')
        const condition = create ? ({ ifNoneMatch: '*' } as const) : { ifMatch: etag }
        let lost = 0
        proxy.decide = ({ method, headers }) => {
          const isCommit = method === 'PUT' && (headers['if-match'] ?? headers['if-none-match']) !== undefined
          return isCommit && lost++ === 0 ? { do: 'lose the answer' } : { do: 'pass' }
        }
        const written = await put(driver, at, content, { condition, contentType: 'a/b' })
        expect(lost).to.equal(2)
        expect(await storage.driver.stat(at)).to.deep.equal(written)
        expect((await get(storage.driver, at)).text).to.equal(content)
      }
    })
  }

  it('where another writer has won while an answer was lost, the condition failed', async () => {
    const driver = await open()
    const { etag } = await put(driver, at, 'former')
    let meanwhile: Promise<unknown> | undefined
    proxy.decide = ({ method }) => {
      if (method !== 'PUT' || meanwhile !== undefined) return { do: 'pass' }
      meanwhile = put(storage.driver, at, 'theirs', { condition: { ifMatch: etag } })
      return { do: 'answer', status: 503 }
    }
    const error = await failure(
      put(driver, at, 'mine', { condition: { ifMatch: etag } }),
      'precondition_failed',
    )
    await meanwhile
    expect(error.etag).to.equal((await storage.driver.stat(at))?.etag)
    expect((await get(storage.driver, at)).text).to.equal('theirs')
  })

  it('a block that cannot be sent ends the upload at once, and leaves what was there', async () => {
    const driver = await open({ maxTries: 1 })
    await put(driver, at, 'former')
    proxy.decide = ({ url = '' }) =>
      url.includes('comp=block&') ? { do: 'answer', status: 503 } : { do: 'pass' }
    let left = 3
    const body = new Readable({
      // After some blocks it waits for a client that says nothing.
      read() {
        if (left-- > 0) this.push(Buffer.alloc(blockBytes))
      },
    })
    await failure(driver.write(at, body, { contentType: 'a/b' }), 'unavailable')
    expect(body.destroyed).to.equal(true)
    expect((await get(storage.driver, at)).text).to.equal('former')
    expect(proxy.requests.filter((line) => line.includes('comp=blocklist'))).to.deep.equal([])
  })

  it('bytes that were not asked for are refused', async () => {
    const driver = await open()
    const headers = {
      etag: '"0x1"',
      'last-modified': 'Sun, 22 Nov 2026 05:00:00 GMT',
      'content-length': '10',
    }
    proxy.decide = () => ({ do: 'answer', status: 200, headers, body: '0123456789' })
    expect((await get(driver, at)).text).to.equal('0123456789')
    await failure(driver.read(at, { range: { first: 2 } }), 'backend')
    await failure(driver.read(at, { range: { first: 0, last: 3 } }), 'backend')
  })

  it('a copy is of the version that its answer tells of, though the source changes under way', async () => {
    const driver = await open()
    await put(driver, at, 'former', { contentType: 'a/former' })
    let copies = 0
    proxy.decide = async ({ headers }) => {
      if (headers['x-ms-copy-source'] !== undefined && copies++ === 0) {
        await put(storage.driver, at, 'a longer one', { contentType: 'a/later' })
      }
      return { do: 'pass' }
    }
    const copied = await driver.copy(at, key('copy'))
    expect(copies).to.equal(2)
    expect(copied).to.include({ size: 12, contentType: 'a/later' })
    expect((await get(storage.driver, key('copy'))).info).to.deep.equal(copied)
  })

  it('a copy that the service may not make by itself goes through the driver', async () => {
    const driver = await open()
    const content = Buffer.alloc(blockBytes * 2 + 1, 'abc')
    await put(driver, at, content, { contentType: 'a/b' })
    proxy.decide = ({ headers }) =>
      headers['x-ms-copy-source'] === undefined
        ? { do: 'pass' }
        : { do: 'answer', status: 403, headers: { 'x-ms-error-code': 'CannotVerifyCopySource' } }
    const copied = await driver.copy(at, key('copy'))
    const { info, text } = await get(storage.driver, key('copy'))
    expect(info).to.deep.equal(copied)
    expect(info.contentType).to.equal('a/b')
    expect(text === content.toString()).to.equal(true)
  })

  it('a download that breaks off is an error, never a short body', async () => {
    const driver = await open()
    await put(driver, at, Buffer.alloc(2_000_000, 'a'))
    proxy.decide = ({ method }) =>
      method === 'GET' ? { do: 'cut the answer', after: 1_000_000 } : { do: 'pass' }
    const result = await driver.read(at)
    if (result === null) throw new Error('nothing to read')
    await failure(buffer(result.body), 'unavailable')
  })

  it('a download that stops in the middle is given up', async () => {
    const driver = await open({ timeoutMs: 150 })
    await put(driver, at, Buffer.alloc(1_000_000, 'a'))
    proxy.decide = ({ method }) =>
      method === 'GET' ? { do: 'stall the answer', after: 500_000 } : { do: 'pass' }
    const result = await driver.read(at)
    if (result === null) throw new Error('nothing to read')
    await failure(buffer(result.body), 'unavailable')
  })

  it('a reader that takes its time gets everything', async () => {
    const driver = await open({ timeoutMs: 150 })
    const content = Buffer.alloc(8_000_000, 'abcdefg')
    await put(driver, at, content)
    const result = await driver.read(at)
    if (result === null) throw new Error('nothing to read')
    const pieces: Buffer[] = []
    for await (const piece of result.body) {
      if (pieces.length === 1) await sleep(500)
      pieces.push(piece)
    }
    expect(Buffer.concat(pieces).equals(content)).to.equal(true)
  })

  it('uses no more connections than it may, and none after it was closed', async () => {
    const driver = await open({ maxSockets: 3 })
    await Promise.all(Array.from({ length: 30 }, (_, i) => put(driver, key(`many/${i}`), 'x')))
    expect(proxy.mostSockets).to.be.within(2, 3)
    await driver.close()
    for (let i = 0; i < 100 && proxy.sockets.size > 0; i++) await sleep(10)
    expect(proxy.sockets.size).to.equal(0)
  })

  it('asks the service once for what can be had at once', async () => {
    const driver = await open()
    const { etag } = await put(driver, at, 'x')
    for (const [run, requests] of [
      [() => driver.stat(at), 1],
      [() => driver.read(at, { range: { first: 0, last: 0 } }), 1],
      [() => driver.write(at, bodyOf('y'), { contentType: 'a/b', size: 1, condition: { ifMatch: etag } }), 1],
      [() => put(driver, at, 'z'), 1],
      [() => put(driver, at, Buffer.alloc(blockBytes)), 1],
      [() => put(driver, at, Buffer.alloc(blockBytes * 2 + 1)), 4],
      [() => driver.list('1Conformance', { ...list, stat: true }), 1],
      [() => driver.copy(at, key('copy')), 2],
      [() => driver.delete(at), 1],
    ] as ReadonlyArray<readonly [() => Promise<unknown>, number]>) {
      proxy.requests.length = 0
      await run()
      expect(proxy.requests, proxy.requests.join('\n')).to.have.length(requests)
    }
  })
})
