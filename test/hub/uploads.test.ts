import { once } from 'node:events'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Driver } from '../../drivers/driver.ts'
import { fileKey, parseAddress, parsePath } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { eventually, sleep } from './eventually.ts'
import { faultyDriver, gate } from './faulty-driver.ts'
import { type HubOverrides, startHub, type TestHub } from './harness.ts'
import { alice } from './people.ts'
import { openRaw, type RawConnection, rawHead } from './raw.ts'
import { v1Token } from './tokens.ts'

const maxBytes = 1024 * 1024

describe('uploads', () => {
  const driver = faultyDriver(memoryDriver())
  const connections: RawConnection[] = []
  let hub: TestHub
  let writesBefore = 0

  const start = async (overrides: HubOverrides = {}) => {
    hub = await startHub({ driver, ...overrides })
    expect((await hub.store('f', 'the former version', { by: alice })).status).to.equal(202)
    writesBefore = writes()
  }
  const writes = () => driver.calls.filter((call) => call.startsWith('write')).length
  /** Storage has been handed the body of an upload. */
  const begun = () =>
    eventually(async () => {
      expect(writes()).to.be.above(writesBefore)
    })
  const open = (headers: Record<string, string>, path = 'f') => {
    const connection = openRaw(hub.port)
    connections.push(connection)
    connection.write(
      rawHead('POST', `/store/${alice.address}/${path}`, {
        Authorization: `bearer ${v1Token(alice)}`,
        ...headers,
      }),
    )
    return connection
  }
  const stored = async () => {
    const found = await driver.read(fileKey(parseAddress(alice.address), parsePath('f')))
    return found === null ? null : text(found.body)
  }
  /** The path is no longer held by an upload. */
  const expectFree = (withinMs?: number) =>
    eventually(async () => {
      expect((await hub.store('f', 'the next version', { by: alice })).status).to.equal(202)
    }, withinMs)

  afterEach(async () => {
    for (const { socket } of connections.splice(0)) socket.destroy()
    await hub.close()
  })

  describe('larger than the hub takes', () => {
    beforeEach(() => start())

    it('are 413 by their Content-Length, before a byte of the body has come', async () => {
      const answer = await open({ 'Content-Length': String(maxBytes + 1) }).answer
      expect(answer.status).to.equal(413)
      expect(answer.json().error).to.equal('PayloadTooLargeError')
      expect(answer.headers['access-control-allow-origin']).to.equal('*')
      expect(await stored()).to.equal('the former version')
    })

    it('are 413 in place of 100 Continue', async () => {
      const connection = open({ 'Content-Length': String(maxBytes + 1), Expect: '100-continue' })
      const [first] = (await once(connection.socket, 'data')) as [Buffer]
      expect(first.toString('latin1', 0, 12)).to.equal('HTTP/1.1 413')
    })

    it('are 413 by count where their length is not told, and the sender can read it', async () => {
      const connection = open({ 'Transfer-Encoding': 'chunked' })
      const chunk = Buffer.alloc(64 * 1024)
      for (let sent = 0; sent <= maxBytes; sent += chunk.length) connection.write(chunked(chunk))
      const answer = await connection.answer
      expect(answer.status).to.equal(413)
      expect(answer.json().error).to.equal('PayloadTooLargeError')
      expect(await stored()).to.equal('the former version')
      await expectFree()
    })

    for (const [how, headers] of [
      ['with a Content-Length', { 'Content-Length': String(maxBytes) }],
      ['in chunks', { 'Transfer-Encoding': 'chunked' }],
    ] as const) {
      it(`are not those of exactly the limit, ${how}`, async () => {
        const connection = open(headers)
        const body = Buffer.alloc(maxBytes, 'x')
        connection.write('Content-Length' in headers ? body : chunked(body))
        if (!('Content-Length' in headers)) connection.write('0\r\n\r\n')
        expect((await connection.answer).status).to.equal(202)
        expect((await stored())?.length).to.equal(maxBytes)
      })
    }
  })

  describe('that end early', () => {
    beforeEach(() => start())

    for (const [how, headers, part, end] of [
      ['broken off', { 'Content-Length': '100' }, 'x'.repeat(50), 'reset'],
      ['broken off before the first byte', { 'Content-Length': '100' }, '', 'reset'],
      ['half-closed short of their Content-Length', { 'Content-Length': '100' }, 'x'.repeat(99), 'endHalf'],
      ['broken off between chunks', { 'Transfer-Encoding': 'chunked' }, chunked('x'.repeat(50)), 'reset'],
      ['half-closed before the last chunk', { 'Transfer-Encoding': 'chunked' }, chunked('x'), 'endHalf'],
      ['half-closed within a chunk', { 'Transfer-Encoding': 'chunked' }, '32\r\nxxxx', 'endHalf'],
    ] as const) {
      it(`leave the former version and free the path: ${how}`, async () => {
        const connection = open(headers)
        connection.write(part)
        await begun()
        connection[end]()
        await connection.answer.then(
          (answer) => expect(answer.status).to.equal(400),
          () => undefined,
        )
        expect(await stored()).to.equal('the former version')
        await expectFree()
      })
    }

    it('are 400 with malformed chunks, and leave the former version', async () => {
      const connection = open({ 'Transfer-Encoding': 'chunked' })
      connection.write('5\r\nhello\r\nnot a length\r\n')
      expect((await connection.answer).status).to.equal(400)
      expect(await stored()).to.equal('the former version')
      await expectFree()
    })
  })

  describe('with an ambiguous length', () => {
    beforeEach(() => start())

    for (const [how, lines] of [
      ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n'],
      ['a length beside a Transfer-Encoding', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'],
      ['a length that is no number', 'Content-Length: 1x\r\n'],
      ['a negative length', 'Content-Length: -1\r\n'],
    ] as const) {
      it(`are 400: ${how}`, async () => {
        const connection = openRaw(hub.port)
        connections.push(connection)
        connection.write(
          `POST /store/${alice.address}/f HTTP/1.1\r\nHost: h\r\nAuthorization: bearer ${v1Token(alice)}\r\n${lines}\r\n`,
        )
        expect((await connection.answer).status).to.equal(400)
        expect(await stored()).to.equal('the former version')
      })
    }
  })

  describe('that stand still', () => {
    it('are 408 after the idle time, change nothing and free the path', async () => {
      await start({ idleTimeoutMs: 100 })
      const connection = open({ 'Content-Length': '100' })
      connection.write('half')
      const answer = await connection.answer
      expect(answer.status).to.equal(408)
      expect(answer.json().error).to.equal('RequestTimeoutError')
      expect(await stored()).to.equal('the former version')
      await expectFree()
    })

    it('may go on for longer than the idle time when bytes keep coming', async () => {
      await start({ idleTimeoutMs: 400 })
      const connection = open({ 'Content-Length': '8' })
      for (let i = 0; i < 8; i++) {
        await sleep(70)
        connection.write('x')
      }
      expect((await connection.answer).status).to.equal(202)
    })

    it('are not blamed for a storage that begins late', async () => {
      await start({ idleTimeoutMs: 100 })
      const late = driver.inject('write', () => sleep(300))
      try {
        const connection = open({ 'Content-Length': '5' })
        connection.write('hello')
        expect((await connection.answer).status).to.equal(202)
      } finally {
        late()
      }
      expect(await stored()).to.equal('hello')
    })
  })

  describe('at one path at one time', () => {
    beforeEach(() => start())

    it('are 202 for the first and 409 for every other operation there', async () => {
      const first = open({ 'Content-Length': '10' })
      first.write('first')
      await begun()
      for (const answer of [
        await hub.store('f', 'second', { by: alice }),
        await hub.send('POST', `/store/${alice.address}/%66`, { by: alice, body: 'second' }),
        await hub.send('POST', `/store/${alice.address}/f/`, { by: alice, body: 'second' }),
        await hub.delete('f', { by: alice }),
      ]) {
        expect(answer.status).to.equal(409)
        expect(answer.json?.error).to.equal('ConflictError')
      }
      first.write('-done')
      expect((await first.answer).status).to.equal(202)
      expect(await stored()).to.equal('first-done')
      await expectFree(0)
    })

    it('do not hinder those at other paths', async () => {
      open({ 'Content-Length': '10' }).write('first')
      await begun()
      for (const path of ['F', 'f2', 'f.x', 'g/f'])
        expect((await hub.store(path, 'x', { by: alice })).status).to.equal(202)
    })

    it('show a reader the former version until the new one is whole', async () => {
      const first = open({ 'Content-Length': '10' })
      first.write('first')
      await begun()
      expect(await stored()).to.equal('the former version')
      first.write('-done')
      await first.answer
      expect(await stored()).to.equal('first-done')
    })
  })

  describe('of a client that goes away', () => {
    beforeEach(() => start())

    for (const [what, body] of [
      ['half of the body', 'half'],
      ['the whole body', 'a body that is whole'],
    ] as const) {
      it(`free the path though storage had not yet said whether the writer may, after ${what}`, async () => {
        await hub.close()
        hub = await startHub({ driver, revocationMaxAgeSeconds: 0 })
        const authority = gate()
        const lift = driver.inject('read', authority.fault, (key) => key.endsWith('-auth/authTimestamp'))
        const connection = open({ 'Content-Length': '20' })
        connection.write(body)
        await authority.reached
        connection.reset()
        await sleep(50)
        lift()
        authority.open()
        await expectFree(1_000)
        expect(await stored()).to.equal('the next version')
      })
    }

    it('free the path though storage was slow to begin', async () => {
      const storage = gate()
      const lift = driver.inject('write', storage.fault)
      const connection = open({ 'Content-Length': '100' })
      connection.write('half')
      await storage.reached
      connection.reset()
      await sleep(50)
      lift()
      storage.open()
      await expectFree(1_000)
      expect(await stored()).to.equal('the next version')
    })
  })

  describe('into a slow storage', () => {
    it('are taken in at its pace, so that memory does not grow with the file', async () => {
      const megabytes = 64
      const storage = gate()
      let taken = 0
      const slow: Driver = {
        ...driver,
        async write(key, body, { contentType }) {
          for await (const chunk of body) {
            taken += (chunk as Buffer).length
            if (taken > maxBytes) await storage.fault(key)
          }
          return driver.write(key, Readable.from([]), { contentType })
        },
      }
      await start({ driver: slow, maxFileUploadSizeMegabytes: megabytes })
      taken = 0
      const connection = open({ 'Content-Length': String(megabytes * maxBytes) })
      const sent = sendSlowly(connection, megabytes * maxBytes)
      await storage.reached
      await sleep(200)
      // What a kernel takes in for a socket is a few megabytes; the rest has to wait at the sender.
      expect(sent.bytes() / maxBytes).to.be.below(megabytes / 4)
      storage.open()
      expect((await connection.answer).status).to.equal(202)
      expect(taken).to.equal(megabytes * maxBytes)
    })
  })
})

/** Writes with back-pressure, as a well-behaved client does. */
function sendSlowly(connection: RawConnection, total: number): { bytes: () => number } {
  const { socket } = connection
  const chunk = Buffer.alloc(256 * 1024)
  let sent = 0
  const go = () => {
    while (sent < total) {
      sent += chunk.length
      if (!socket.write(chunk)) {
        socket.once('drain', go)
        return
      }
    }
  }
  go()
  return { bytes: () => sent }
}

function chunked(body: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}
