import { PassThrough, Readable } from 'node:stream'
import { expect } from 'chai'
import type { Driver, ReadResult } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { resolveRange } from '../../drivers/range.ts'
import { readerApp } from '../../reader/app.ts'
import { closeServers, eventually, keepingLogger, parseAnswer, RawClient, serve } from '../http/serve.ts'
import { alice, ask, cacheControl, keyOf, put, serveReader } from './answers.ts'

type ReaderDriver = Pick<Driver, 'stat' | 'read' | 'check'>

const info = { etag: 'e1', size: 10, contentType: 'text/plain', lastModifiedMs: 1_000_000 }
const url = `/${alice}/file`
const get = (headers = '', path = url) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`

/** A driver that holds one file, but for what a test wants otherwise. */
function oneFile(overrides: Partial<ReaderDriver> = {}): ReaderDriver {
  return {
    stat: async () => info,
    read: async (_key, options) => {
      const range = options?.range === undefined ? null : resolveRange(options.range, info.size)
      const text = range === null ? '0123456789' : '0123456789'.slice(range.first, range.last + 1)
      return { info, range, body: Readable.from([Buffer.from(text)]) }
    },
    check: async () => {},
    ...overrides,
  }
}

function reading(body: Readable, of = info): ReadResult {
  return { info: of, range: null, body }
}

/** Counts what a driver is asked, and which of the bodies that it gave are still open. */
function watched(driver: ReaderDriver) {
  const calls: string[] = []
  const open = new Set<Readable>()
  const watching: ReaderDriver = {
    stat: (key) => {
      calls.push('stat')
      return driver.stat(key)
    },
    read: async (key, options) => {
      calls.push('read')
      const found = await driver.read(key, options)
      if (found !== null) {
        open.add(found.body)
        found.body.once('close', () => open.delete(found.body))
      }
      return found
    },
    check: () => driver.check(),
  }
  return { driver: watching, calls, open }
}

describe('the reader and its driver', () => {
  afterEach(closeServers)

  const costs: [string, string, Record<string, string>, string[]][] = [
    ['a plain GET reads once', 'GET', {}, ['read']],
    ['a HEAD reads nothing', 'HEAD', {}, ['stat']],
    ['a 304 reads nothing', 'GET', { 'If-None-Match': '"e1"' }, ['stat']],
    ['a 416 reads nothing', 'GET', { Range: 'bytes=10-' }, ['stat']],
    ['a range looks, then reads', 'GET', { Range: 'bytes=0-9' }, ['stat', 'read']],
  ]
  for (const [title, method, headers, wanted] of costs) {
    it(title, async () => {
      const { driver, calls } = watched(oneFile())
      const server = await serveReader(driver)
      await ask(server.url, method, url, headers)
      expect(calls).to.deep.equal(wanted)
    })
  }

  for (const [code, status] of [
    ['unavailable', 503],
    ['backend', 502],
    ['busy', 409],
    ['invalid_key', 404],
  ] as const) {
    it(`answers ${code} with ${status}, whether it looks or reads`, async () => {
      const fail = async () => {
        throw new DriverError(code, 'storage')
      }
      const server = await serveReader(oneFile({ stat: fail, read: fail }))
      for (const [method, headers] of [
        ['GET', {}],
        ['HEAD', {}],
        ['GET', { Range: 'bytes=0-1' }],
      ] as const) {
        const answer = await ask(server.url, method, url, headers)
        expect(answer.status).to.equal(status)
        expect(answer.headers['content-type']).to.equal('application/json')
        expect(answer.headers['retry-after'] !== undefined).to.equal(status >= 500)
      }
    })
  }

  it('answers a fault that is no driver error with a bare 500', async () => {
    const server = await serveReader(oneFile({ read: async () => Promise.reject(new Error('/secret/path')) }))
    const answer = await ask(server.url, 'GET', url)
    expect(answer.status).to.equal(500)
    expect(String(answer.body)).to.equal('{"message":"Server Error"}')
  })

  describe('when a file changes between looking and reading', () => {
    /** Another version at each look, until `settlesAfter` of them. */
    function changing(settlesAfter: number): ReaderDriver {
      let looks = 0
      const current = () => ({ ...info, etag: `e${Math.min(looks, settlesAfter)}`, size: 10 + looks })
      return oneFile({
        stat: async () => {
          const seen = current()
          looks++
          return seen
        },
        read: async (_key, options) => {
          const now = current()
          if (options?.ifMatch !== now.etag) throw new DriverError('precondition_failed', 'changed')
          return { info: now, range: { first: 0, last: 1 }, body: Readable.from([Buffer.from('01')]) }
        },
      })
    }

    it('looks again, and answers of one version', async () => {
      const { driver, calls } = watched(changing(2))
      const server = await serveReader(driver)
      const answer = await ask(server.url, 'GET', url, { Range: 'bytes=0-1' })
      expect(calls).to.deep.equal(['stat', 'read', 'stat', 'read', 'stat', 'read'])
      expect(answer.status).to.equal(206)
      expect(answer.headers).to.include({ etag: '"e2"' })
    })

    it('gives up with 503 where it never settles', async () => {
      const { driver, calls } = watched(changing(Infinity))
      const server = await serveReader(driver)
      const answer = await ask(server.url, 'GET', url, { Range: 'bytes=0-1' })
      expect(answer.status).to.equal(503)
      expect(answer.headers).to.include({ 'retry-after': '1' })
      expect(calls).to.have.length(10)
    })

    it('answers 404 where it is gone', async () => {
      let looks = 0
      const server = await serveReader(
        oneFile({ stat: async () => (looks++ === 0 ? info : null), read: async () => null }),
      )
      expect((await ask(server.url, 'GET', url, { Range: 'bytes=0-1' })).status).to.equal(404)
    })
  })

  describe('never lets a short answer look whole', () => {
    const failing = () => {
      const body = new PassThrough()
      body.write('01234')
      setTimeout(() => body.destroy(new DriverError('unavailable', 'the disk is gone')), 20)
      return body
    }
    const bodies: [string, () => Readable][] = [
      ['fails half way', failing],
      [
        'fails at once',
        () =>
          new Readable({
            read() {
              this.destroy(new DriverError('backend', 'x'))
            },
          }),
      ],
      [
        'is destroyed without a reason',
        () =>
          new Readable({
            read() {
              this.destroy()
            },
          }),
      ],
      ['ends short', () => Readable.from([Buffer.from('01234')])],
      ['ends before it begins', () => Readable.from([])],
    ]
    for (const [title, makeBody] of bodies) {
      it(`when the body ${title}`, async () => {
        const { driver, open } = watched(oneFile({ read: async () => reading(makeBody()) }))
        const { port, lines } = await serveReader(driver)
        const client = new RawClient(port).send(get())
        await client.closed
        expect(parseAnswer(client.received).body.length).to.be.below(10)
        await eventually(() => open.size === 0 && lines.some((line) => line.aborted === true))
        expect(
          lines.some((line) => line.msg === 'answer cut off' || line.msg === 'client went away'),
        ).to.equal(true)
      })
    }

    it('nor a long one run into the next', async () => {
      const long = Buffer.from(`0123456789HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
      const { driver, open } = watched(oneFile({ read: async () => reading(Readable.from([long])) }))
      const { port } = await serveReader(driver)
      const client = new RawClient(port).send(get() + get())
      await client.closed
      expect(client.received).not.to.contain('evil')
      await eventually(() => open.size === 0)
    })
  })

  describe('and clients that go away', () => {
    const sizeBytes = 4 * 1024 * 1024

    it('lets go of every body when 200 clients close early, and serves on', async () => {
      const memory = memoryDriver()
      await put(memory, keyOf('file'), Buffer.alloc(sizeBytes, 'x'), 'text/plain')
      const { driver, open, calls } = watched(memory)
      const server = await serveReader(driver)
      const closeEarly = async (i: number) => {
        const client = new RawClient(server.port).send(get(i % 2 === 0 ? '' : 'Range: bytes=1-\r\n'))
        if (i % 3 !== 0) await client.until(/^HTTP/)
        if (i % 5 === 0) client.socket.resetAndDestroy()
        else client.socket.destroy()
        await client.closed
      }
      for (let i = 0; i < 200; i += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, k) => closeEarly(i + k)))
      }
      await eventually(() => open.size === 0)
      expect(calls.filter((call) => call === 'read')).to.have.length.above(100)
      const answer = await ask(server.url, 'GET', url)
      expect(answer.body.length).to.equal(sizeBytes)
      await eventually(() => open.size === 0)
      expect(server.lines.filter((line) => Number(line.level) >= 50)).to.deep.equal([])
    })

    it('lets go of a body that comes when the client has already gone', async () => {
      let asked = false
      let answer: (found: ReadResult) => void = () => {}
      const { driver } = watched(
        oneFile({
          read: () => {
            asked = true
            return new Promise((resolve) => {
              answer = resolve
            })
          },
        }),
      )
      const { port, requests } = await serveReader(driver)
      const client = new RawClient(port).send(get())
      await eventually(() => asked)
      client.socket.destroy()
      await eventually(() => requests().length === 1)
      const body = new PassThrough()
      answer(reading(body))
      await eventually(() => body.destroyed)
    })

    it('reads no faster than the client does', async () => {
      let given = 0
      const total = 200 * 1024 * 1024
      const body = new Readable({
        read() {
          given += 65_536
          this.push(given > total ? null : Buffer.alloc(65_536))
        },
      })
      const large = { ...info, size: total }
      const { driver, open } = watched(oneFile({ read: async () => reading(body, large) }))
      const { port } = await serveReader(driver)
      const client = new RawClient(port)
      client.socket.pause()
      client.send(get())
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(given).to.be.within(1, 40 * 1024 * 1024)
      client.socket.destroy()
      await eventually(() => open.size === 0)
    })
  })

  describe('and what a foreign bucket may hold', () => {
    for (const contentType of ['', 'text/plain\r\nSet-Cookie: a=b', 'text/\0plain', 'text/日本']) {
      it(`takes the type ${JSON.stringify(contentType)} for bytes`, async () => {
        const server = await serveReader(
          oneFile({
            read: async () => reading(Readable.from([Buffer.from('0123456789')]), { ...info, contentType }),
          }),
        )
        const answer = await ask(server.url, 'GET', url)
        expect(answer.status).to.equal(200)
        expect(answer.headers)
          .to.include({ 'content-type': 'application/octet-stream' })
          .and.not.have.property('set-cookie')
      })
    }
  })
})

describe('the reader as a server', () => {
  afterEach(closeServers)

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
    it(`answers ${method} with 405`, async () => {
      const server = await serveReader(oneFile())
      const answer = await ask(server.url, method, url)
      expect(answer.status).to.equal(405)
      expect(answer.headers).to.include({ allow: 'GET, HEAD, OPTIONS' })
      expect(JSON.parse(String(answer.body))).to.have.property('error', 'MethodNotAllowedError')
    })
  }

  it('answers a preflight for reads', async () => {
    const server = await serveReader(oneFile())
    const answer = await ask(server.url, 'OPTIONS', url)
    expect(answer.status).to.equal(204)
    expect(answer.headers).to.include({
      'access-control-allow-methods': 'GET,HEAD,OPTIONS',
      'access-control-max-age': '86400',
      'access-control-expose-headers': 'Content-Type,ETag,Content-Length,Content-Range,Last-Modified',
    })
    expect(answer.headers['access-control-allow-headers']).to.contain('x-hiro-product').and.contain('Range')
  })

  it('tells its health', async () => {
    const server = await serveReader(oneFile())
    expect((await ask(server.url, 'GET', '/healthz')).status).to.equal(200)
    expect((await ask(server.url, 'GET', '/readyz')).status).to.equal(200)
  })

  it('is not ready when its driver is not', async () => {
    const server = await serveReader(
      oneFile({ check: async () => Promise.reject(new DriverError('unavailable', 'x')) }),
    )
    expect((await ask(server.url, 'GET', '/readyz')).status).to.equal(503)
  })

  it('serves below a prefix, and nothing beside it', async () => {
    const server = await serve((logger) =>
      readerApp({ driver: oneFile(), logger, cacheControl, prefix: '/r/' }),
    )
    expect((await ask(server.url, 'GET', `/r${url}`)).status).to.equal(200)
    for (const path of [url, `/R${url}`, `/r`, `/%72${url}`]) {
      expect((await ask(server.url, 'GET', path)).status, path).to.equal(404)
    }
  })

  it('refuses a prefix without its slashes', () => {
    const { logger } = keepingLogger()
    for (const prefix of ['', 'r/', '/r']) {
      expect(() => readerApp({ driver: oneFile(), logger, cacheControl, prefix })).to.throw(TypeError)
    }
  })

  it('logs one line, with the address and neither path nor query', async () => {
    const server = await serveReader(oneFile())
    await ask(server.url, 'GET', `/${alice}/private?q=hidden`)
    await eventually(() => server.requests().length === 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.lines).to.have.length(1)
    expect(server.requests()[0]).to.include({ route: 'read', address: alice, status: 200 })
    expect(JSON.stringify(server.lines)).not.to.match(/private|hidden/)
  })

  it('answers pipelined requests in their order', async () => {
    const { port } = await serveReader(oneFile())
    const head = get('Range: bytes=0-0\r\n')
    const client = new RawClient(port).send(head + get('', '/x/') + get('Connection: close\r\n'))
    await client.closed
    expect([...client.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).to.deep.equal([
      '206',
      '404',
      '200',
    ])
  })

  it("takes the body of mallory's GET for a body, not for the next request", async () => {
    const { port } = await serveReader(oneFile())
    const smuggled = get('', `/${alice}/smuggled`)
    const client = new RawClient(port)
    client.send(get(`Content-Length: ${smuggled.length}\r\n`) + smuggled + get('Connection: close\r\n'))
    await client.closed
    expect(client.received.match(/HTTP\/1\.1 200/g)).to.have.length(2)
  })
})
