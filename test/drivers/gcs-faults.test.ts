import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { failure, get, key, put, rejection } from '../../drivers/conformance/harness.ts'
import { DriverError, type DriverErrorCode } from '../../drivers/errors.ts'
import type { GcsDriverOptions } from '../../drivers/gcs/index.ts'
import { delayAfter } from '../../drivers/gcs/retry.ts'
import type { Fault } from '../servers/gcs.ts'
import { type GcsHarness, gcsHarness, withGcsServer } from './gcs-harness.ts'

const at = key('folder/file')
const large = Buffer.from(Array.from({ length: 2_500_000 }, (_, i) => (i * 7919) % 251))

describe('faults of Google Cloud Storage', () => {
  const server = withGcsServer()
  let harness: GcsHarness
  const open = async (options: Partial<GcsDriverOptions> = {}): Promise<GcsHarness> => {
    harness = await gcsHarness(server(), options)
    return harness
  }
  afterEach(async () => {
    const left = await harness.leftovers()
    await harness.close()
    expect(left).to.deep.equal([])
  })

  /** Faults of the first requests that match, one each; then all goes well. */
  const inject = (pattern: RegExp, ...faults: (Fault | null)[]): void => {
    server().fault = (request) => (pattern.test(request) ? (faults.shift() ?? null) : null)
  }
  const asked = (pattern: RegExp): string[] => server().requests.filter((request) => pattern.test(request))

  describe('answers that are lost', () => {
    const insert = /^POST \/upload.*multipart/

    for (const fault of ['lose', 'half'] as const) {
      it(`does not take its own first try for another writer's (${fault})`, async () => {
        const { driver } = await open()
        inject(insert, fault)
        const created = await put(driver, at, 'created', { condition: { ifNoneMatch: '*' } })
        expect(await driver.stat(at)).to.deep.equal(created)
        inject(insert, fault, fault)
        const updated = await put(driver, at, 'updated', { condition: { ifMatch: created.etag } })
        expect((await get(driver, at)).info).to.deep.equal(updated)
        expect((await get(driver, at)).text).to.equal('updated')
      })
    }

    it('writes again what nothing was asked of', async () => {
      const { driver } = await open()
      inject(insert, 'lose', 'cut', 503)
      await failure(put(driver, at, 'x'), 'unavailable')
      inject(insert, 'lose', 'cut')
      await put(driver, at, 'stored')
      expect((await get(driver, at)).text).to.equal('stored')
    })

    it('does not call a write refused that may have been done before another one', async () => {
      const { driver } = await open()
      const { etag } = await put(driver, at, 'former')
      const other = await harness.second()
      server().fault = (request) => {
        if (!insert.test(request)) return null
        // The next try comes after somebody else has read what the first one wrote, and written on.
        server().fault = () => null
        setImmediate(() => void put(other, at, 'of another'))
        return 'lose'
      }
      const writing = put(driver, at, 'mine', { condition: { ifMatch: etag } })
      expect((await failure(writing, 'unavailable')).message).to.match(/look before you try again/)
      expect((await get(driver, at)).text).to.equal('of another')
      await other.close()
    })

    it('calls a write refused that was surely not done before', async () => {
      const { driver } = await open()
      const { etag } = await put(driver, at, 'now')
      inject(insert, 429)
      const error = await failure(
        put(driver, at, 'x', { condition: { ifNoneMatch: '*' } }),
        'precondition_failed',
      )
      expect(error.etag).to.equal(etag)
    })

    it('takes what is gone at the second try for deleted', async () => {
      const { driver } = await open()
      for (const conditional of [false, true]) {
        const { etag } = await put(driver, at, 'x')
        inject(/^DELETE/, 'lose')
        await driver.delete(at, conditional ? { condition: { ifMatch: etag } } : {})
        expect(await driver.stat(at)).to.equal(null)
      }
    })

    it('copies again', async () => {
      const { driver } = await open()
      const { etag } = await put(driver, at, 'copied')
      inject(/rewriteTo/, 'lose')
      const copied = await driver.copy(at, key('copy'), { ifMatch: etag })
      expect((await get(driver, key('copy'))).info).to.deep.equal(copied)
    })
  })

  describe('uploads in parts', () => {
    const part = /^PUT \/upload/
    const rows: [string, RegExp, (Fault | null)[]][] = [
      ['the answer to the beginning is lost', /^POST.*resumable/, ['lose']],
      ['the beginning is refused', /^POST.*resumable/, [503, 429]],
      ['a part is refused', part, [503]],
      ['a connection ends before a part', part, [null, 'cut']],
      ['half of a part arrives', part, ['short', null, 'short']],
      ['the question what arrived is refused too', part, [null, 'short', 500]],
      ['the answer to a part is lost', part, [null, 'lose']],
      ['the answer to the last part is lost', part, [null, null, 'lose']],
      ['half of the answer to the last part arrives', part, [null, null, 'half']],
    ]
    for (const [title, pattern, faults] of rows) {
      it(`are whole though ${title}`, async () => {
        const { driver, server: faulty, bucket } = await open()
        inject(pattern, ...faults)
        const written = await driver.write(at, Readable.from([large]), {
          contentType: 'a/b',
          condition: { ifNoneMatch: '*' },
        })
        expect(written.size).to.equal(large.length)
        expect(await driver.stat(at)).to.deep.equal(written)
        const result = await driver.read(at)
        expect(result && (await buffer(result.body)).equals(large)).to.equal(true)
        // An upload whose address was lost is nobody's; the storage forgets it.
        if (title.includes('beginning is lost')) forget(faulty.uploads, bucket)
      })
    }

    it('send nothing twice that the storage has kept', async () => {
      const { driver } = await open()
      const before = asked(part).length
      inject(part, 'short')
      await driver.write(at, Readable.from([large]), { contentType: 'a/b' })
      // Half of the first part, the question, the other half, the second, the third.
      expect(asked(part).length - before).to.equal(5)
    })

    it('are cancelled when the storage takes no more, when the body breaks, and when a condition fails', async () => {
      const { driver, server: faulty, bucket } = await open()
      const former = await put(driver, at, 'former')
      inject(part, null, 503, 503, 503, 503)
      await failure(driver.write(at, Readable.from([large]), { contentType: 'a/b' }), 'unavailable')
      expect(faulty.uploads.open(bucket)).to.deep.equal([])

      const error = new Error('broken')
      const broken = Readable.from(
        (async function* () {
          yield large
          await sleep(5)
          throw error
        })(),
      )
      expect(await rejection(driver.write(at, broken, { contentType: 'a/b' }))).to.equal(error)
      expect(faulty.uploads.open(bucket)).to.deep.equal([])

      let changed = former
      const overtaken = Readable.from(
        (async function* () {
          yield large
          changed = await put(driver, at, 'changed')
        })(),
      )
      const writing = driver.write(at, overtaken, {
        contentType: 'a/b',
        condition: { ifMatch: former.etag },
      })
      expect((await failure(writing, 'precondition_failed')).etag).to.equal(changed.etag)
      expect((await get(driver, at)).text).to.equal('changed')
    })

    it('are refused at once where the condition fails already', async () => {
      const { driver } = await open()
      const { etag } = await put(driver, at, 'here')
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(65_536))
        },
      })
      const writing = driver.write(at, endless, { contentType: 'a/b', condition: { ifNoneMatch: '*' } })
      expect((await failure(writing, 'precondition_failed')).etag).to.equal(etag)
      expect(endless.destroyed).to.equal(true)
    })

    it('fail when the storage forgets them', async () => {
      const { driver, server: faulty, bucket } = await open()
      const body = Readable.from(
        (async function* () {
          yield large
          await sleep(50)
          forget(faulty.uploads, bucket)
        })(),
      )
      await failure(driver.write(at, body, { contentType: 'a/b' }), 'backend')
    })
  })

  describe('reads', () => {
    const media = /^GET .*alt=media/

    it('try again what is refused for the moment', async () => {
      const { driver } = await open()
      await put(driver, at, 'content')
      inject(media, 503, 'cut')
      expect((await get(driver, at)).text).to.equal('content')
    })

    it('never end short', async () => {
      const { driver } = await open()
      await put(driver, at, large)
      inject(media, 'half')
      const result = await driver.read(at)
      if (result === null) throw new Error('nothing to read')
      await failure(buffer(result.body), 'unavailable')
    })

    it('that nobody goes on with keep nobody else from reading, writing or asking', async () => {
      const { driver } = await open({ maxSockets: 2, timeoutMs: 300 })
      await put(driver, at, Buffer.alloc(20_000_000))
      const idle = await Promise.all([driver.read(at), driver.read(at)])
      await put(driver, key('other'), 'x')
      await driver.check()
      // As many as there may be are under way: the next one is told so.
      await failure(driver.read(at), 'unavailable')
      await sleep(400)
      for (const result of idle) {
        expect(result?.body.destroyed, 'a slow reader is no error').to.equal(false)
        result?.body.destroy()
      }
      expect((await get(driver, key('other'))).text).to.equal('x')
    })

    it('that end early leave the others alone', async () => {
      const { driver } = await open()
      await put(driver, at, Buffer.alloc(8_000_000))
      const staying = await driver.read(at)
      for (let i = 0; i < 20; i++) {
        const leaving = await driver.read(at)
        leaving?.body.read(1)
        leaving?.body.destroy()
      }
      expect(staying && (await buffer(staying.body)).length).to.equal(8_000_000)
    })
  })

  describe('a storage that does not work', () => {
    const operations: [string, (harness: GcsHarness) => Promise<unknown>][] = [
      ['stat', ({ driver }) => driver.stat(at)],
      ['read', ({ driver }) => driver.read(at)],
      ['write', ({ driver }) => put(driver, at, 'x')],
      ['create', ({ driver }) => put(driver, at, 'x', { condition: { ifNoneMatch: '*' } })],
      ['upload', ({ driver }) => put(driver, at, large)],
      ['delete', ({ driver }) => driver.delete(at)],
      ['delete under a condition', ({ driver }) => driver.delete(at, { condition: { ifMatch: '1' } })],
      ['copy', ({ driver }) => driver.copy(at, key('copy'))],
      ['list', ({ driver }) => driver.list('1Alice/', { limit: 1, cursor: null })],
      ['listBuckets', ({ driver }) => driver.listBuckets({ limit: 1, cursor: null })],
      ['check', ({ driver }) => driver.check()],
    ]
    const states: [string, () => void, DriverErrorCode][] = [
      ['cannot be reached', () => inject(/./, ...many('cut')), 'unavailable'],
      ['is under load', () => inject(/./, ...many(503)), 'unavailable'],
      ['asks to slow down', () => inject(/./, ...many(429)), 'unavailable'],
      ['says nothing', () => inject(/./, ...many('stall')), 'unavailable'],
      ['refuses the credentials', () => inject(/./, ...many(401)), 'backend'],
      ['allows nothing', () => inject(/./, ...many(403)), 'backend'],
      ['takes the requests for wrong', () => inject(/./, ...many(400)), 'backend'],
    ]
    for (const [state, begin, code] of states) {
      it(`that ${state} is ${code}, whatever is asked`, async () => {
        const { server: faulty } = await open({
          timeoutMs: 60,
          retryOptions: { maxRetries: 1, maxRetryDelay: 0.01 },
        })
        for (const [what, run] of operations) {
          begin()
          const error = await rejection(run(harness))
          if (!(error instanceof DriverError)) throw new Error(`${what}: ${String(error)}`)
          expect(error.code, what).to.equal(code)
          expect(error.message).to.not.include('127.0.0.1').and.not.include(new URL(faulty.url).port)
        }
      })
    }

    it('that has lost the bucket is backend, never an object that is not there', async () => {
      const { server: faulty, bucket } = await open()
      const objects = faulty.store.bucket(bucket)
      faulty.store.buckets.delete(bucket)
      for (const [what, run] of operations) {
        const error = await rejection(run(harness))
        if (!(error instanceof DriverError)) throw new Error(`${what}: ${String(error)}`)
        expect(error.code, what).to.equal('backend')
        expect(error.message, what).to.equal('the bucket does not exist')
      }
      faulty.store.buckets.set(bucket, objects)
    })
  })

  it('tries no more when the time for all tries is over', async () => {
    await open({ retryOptions: { maxRetries: 9, maxRetryDelay: 0.1, totalTimeout: 0.25 } })
    inject(/./, ...many(503))
    const before = server().requests.length
    await failure(harness.driver.stat(at), 'unavailable')
    expect(server().requests.length - before).to.be.within(2, 5)
  })

  it('waits longer each time, a part of it by chance', async () => {
    await open()
    const settings = { maxRetries: 9, maxDelayMs: 8000, totalTimeoutMs: 60_000 }
    const delays = (random: number) =>
      [1, 2, 3, 4, 5, 6, 7, 8].map((count) => delayAfter(count, { ...settings, random: () => random }))
    expect(delays(0)).to.deep.equal([125, 250, 500, 1000, 2000, 4000, 4000, 4000])
    expect(delays(1)).to.deep.equal([250, 500, 1000, 2000, 4000, 8000, 8000, 8000])
  })
})

function many(fault: Fault): Fault[] {
  return Array.from({ length: 20 }, () => fault)
}

function forget(uploads: GcsHarness['server']['uploads'], bucket: string): void {
  for (const id of uploads.ids(bucket)) uploads.cancel(id)
}
