import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { bodyOf, get, key, put, rejection, type Suite } from './harness.ts'

const at = key('folder/streamed')
const large = 32 * 1024 * 1024
const chunkBytes = 64 * 1024

/** Bodies that break, bodies that are large, and readers that are in the way. */
export function describeStreams({ test, readAheadBytes }: Suite): void {
  describe('streams', () => {
    for (const former of [null, 'what was there before']) {
      const left = former === null ? 'nothing' : 'the former version'
      for (const [title, breakOff] of broken) {
        test(`a body that ${title} leaves ${left}`, async ({ driver }) => {
          const before = former === null ? null : await put(driver, at, former)
          const { body, error } = breakOff()
          const reason = await rejection(driver.write(at, body, { contentType: 'a/b' }))
          if (error !== null) expect(reason).to.equal(error)
          expect(await driver.stat(at)).to.deep.equal(before)
          if (former !== null) expect((await get(driver, at)).text).to.equal(former)
        })
      }
    }

    for (const bytes of [0, 10, 100_000, large]) {
      // Who asks again at the end whether the write is still allowed must be heard, however little is left to send.
      test(`a body of ${bytes} bytes that fails after its last one changes nothing, though its size was told`, async ({
        driver,
      }) => {
        const before = await put(driver, at, 'former')
        const error = new Error('not allowed any more')
        const body = Readable.from(
          allThen(bytes, () => Promise.reject(error)),
          { objectMode: false },
        )
        const reason = await rejection(driver.write(at, body, { contentType: 'a/b', size: bytes }))
        expect(reason).to.equal(error)
        expect(await driver.stat(at)).to.deep.equal(before)
      })
    }

    test('a body that is refused early is destroyed', async ({ driver }) => {
      await put(driver, at, 'here')
      const body = endless()
      await rejection(
        driver
          .write(at, body, { contentType: 'a/b', condition: { ifMatch: 'stale' } })
          .finally(() => body.destroy()),
      )
      expect(body.destroyed).to.equal(true)
      expect((await get(driver, at)).text).to.equal('here')
    })

    test('a body of many small pieces and strings is stored whole', async ({ driver }) => {
      const pieces = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? `${i},` : Buffer.from(`${i},`)))
      await driver.write(at, Readable.from(pieces), { contentType: 'a/b' })
      expect((await get(driver, at)).text).to.equal(pieces.map(String).join(''))
    })

    test('a large body goes through as it comes, and comes back the same', async ({ driver }) => {
      const source = counted(large)
      const written = await driver.write(at, source.body, { contentType: 'a/b' })
      expect(written.size).to.equal(large)
      expect(source.mostAhead()).to.be.at.most(readAheadBytes)
      const result = await driver.read(at)
      const hash = createHash('sha256')
      for await (const chunk of result?.body ?? []) hash.update(chunk)
      expect(hash.digest('hex')).to.equal(source.digest())
    })

    test('a reader that pauses is not read ahead of', async ({ driver }) => {
      await driver.write(at, counted(large).body, { contentType: 'a/b' })
      const result = await driver.read(at)
      if (result === null) throw new Error('nothing to read')
      const chunks = result.body[Symbol.asyncIterator]()
      await chunks.next()
      await sleep(100)
      expect(result.body.readableLength).to.be.at.most(2 * 1024 * 1024)
      result.body.destroy()
    })

    test('a reader that goes away at once does no harm', async ({ driver }) => {
      await put(driver, at, 'x'.repeat(1_000_000))
      for (let i = 0; i < 100; i++) {
        const result = await driver.read(at)
        if (i % 2 === 0) await turn()
        if (i % 4 === 0) result?.body.read(1)
        result?.body.destroy()
      }
      expect((await get(driver, at)).text.length).to.equal(1_000_000)
    })

    for (const [title, change] of [
      ['overwritten', (driver) => put(driver, at, 'new')],
      ['deleted', (driver) => driver.delete(at)],
      [
        'overwritten many times',
        async (driver) => {
          for (let i = 0; i < 10; i++) await put(driver, at, `new ${i}`.repeat(1000 * i))
        },
      ],
    ] as ReadonlyArray<[string, (driver: Parameters<typeof put>[0]) => Promise<unknown>]>) {
      test(`a reader gets the version it began with, though it is ${title}`, async ({ driver }) => {
        const content = 'former '.repeat(200_000)
        const written = await put(driver, at, content)
        const result = await driver.read(at)
        if (result === null) throw new Error('nothing to read')
        await change(driver)
        expect(result.info).to.deep.equal(written)
        expect((await buffer(result.body)).equals(Buffer.from(content))).to.equal(true)
      })
    }

    test('readers during overwrites see one version or another, whole and with its own type', async ({
      driver,
    }) => {
      const contentOf = (i: number): string => `${i};`.repeat(1 + ((i * 7919) % 40_000))
      await put(driver, at, contentOf(0), { contentType: 'version/0' })
      let writing = true
      const writer = (async () => {
        for (let i = 1; i <= 60; i++) await put(driver, at, contentOf(i), { contentType: `version/${i}` })
        writing = false
      })()
      const etags = new Map<string, string>()
      while (writing) {
        const { info, text } = await get(driver, at)
        const version = info.contentType.slice('version/'.length)
        expect(text === contentOf(Number(version))).to.equal(true)
        expect(info.size).to.equal(text.length)
        expect(etags.get(info.etag) ?? version).to.equal(version)
        etags.set(info.etag, version)
        await turn()
      }
      await writer
    })

    test('several writes of one body each do not mix', async ({ driver }) => {
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          driver.write(key(`m/${i}`), bodyOf(`${i}`.repeat(200_000)), { contentType: 'a/b' }),
        ),
      )
      for (let i = 0; i < 8; i++)
        expect((await get(driver, key(`m/${i}`))).text).to.equal(`${i}`.repeat(200_000))
    })
  })
}

const broken: ReadonlyArray<readonly [string, () => { body: Readable; error: Error | null }]> = [
  [
    'fails at once',
    () => {
      const error = new Error('broken')
      return { body: new Readable({ read: fail(error) }), error }
    },
  ],
  [
    'fails half way',
    () => {
      const error = new Error('broken')
      return { body: Readable.from(piecesThen(() => Promise.reject(error))), error }
    },
  ],
  [
    'fails with an error of the system',
    () => {
      const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      return { body: Readable.from(piecesThen(() => Promise.reject(error))), error }
    },
  ],
  [
    'is destroyed half way',
    () => {
      const body: Readable = Readable.from(
        piecesThen(async () => {
          body.destroy()
        }),
      )
      return { body, error: null }
    },
  ],
  [
    'was destroyed before',
    () => {
      const body = bodyOf('never read')
      body.destroy()
      return { body, error: null }
    },
  ],
]

function fail(error: Error) {
  return function (this: Readable): void {
    this.destroy(error)
  }
}

async function* allThen(bytes: number, end: () => Promise<void>): AsyncGenerator<Buffer> {
  for (let left = bytes; left > 0; left -= chunkBytes) yield Buffer.alloc(Math.min(left, chunkBytes), 'x')
  // What is to be committed early gets the time to be.
  await sleep(50)
  await end()
}

async function* piecesThen(end: () => Promise<void>): AsyncGenerator<Buffer> {
  for (let i = 0; i < 5; i++) {
    yield Buffer.alloc(50_000, i)
    await turn()
  }
  await end()
  await turn()
  yield Buffer.alloc(1)
}

function endless(): Readable {
  return new Readable({
    read() {
      setImmediate(() => this.push(Buffer.alloc(1000)))
    },
  })
}

/**
 * A body that is there as fast as it is asked for, and counts how much is taken between two turns of the event
 * loop: a driver that waits until bytes are put away takes little.
 */
function counted(bytes: number) {
  const hash = createHash('sha256')
  let left = bytes
  let sinceTurn = 0
  let most = 0
  const turns = setInterval(() => {
    sinceTurn = 0
  }, 0)
  const body = new Readable({
    read() {
      if (left === 0) {
        this.push(null)
        return
      }
      const chunk = Buffer.alloc(Math.min(chunkBytes, left), left % 251)
      left -= chunk.length
      sinceTurn += chunk.length
      most = Math.max(most, sinceTurn)
      hash.update(chunk)
      this.push(chunk)
    },
    destroy(error, done) {
      clearInterval(turns)
      done(error)
    },
  })
  return { body, mostAhead: () => most, digest: () => hash.digest('hex') }
}
