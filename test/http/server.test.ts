import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import { noHttpInstruments, type TurnedAway } from '../../http/instruments.ts'
import { startServer } from '../../http/server.ts'
import { closeServers, eventually, exchange, keepingLogger, RawClient, serve } from './serve.ts'

const hello = () => (_req: IncomingMessage, res: ServerResponse) => res.end('hello')
const get = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`

describe('a server', () => {
  afterEach(closeServers)

  it('takes 32 KiB of headers', async () => {
    const { port } = await serve(hello)
    const headers = Array.from({ length: 32 }, (_, i) => `x-${i}: ${'a'.repeat(1_000)}\r\n`).join('')
    expect((await exchange(port, get('/', `${headers}Connection: close\r\n`))).status).to.equal(200)
  })

  it('refuses to listen where it cannot', async () => {
    const { port } = await serve(hello)
    const { logger } = keepingLogger()
    const second = startServer({ app: hello(), host: '127.0.0.1', port, logger })
    const error: unknown = await second.then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).to.have.property('code', 'EADDRINUSE')
  })

  describe('answers mallory by hand, in the one shape and for every origin', () => {
    const rows: [string, string, number, string][] = [
      ['40 KB of headers', get('/', `x: ${'a'.repeat(40_000)}\r\n`), 431, 'HeadersTooLargeError'],
      ['a megabyte of headers', get('/', `x: ${'a'.repeat(1_000_000)}\r\n`), 431, 'HeadersTooLargeError'],
      ['a target of 40 KB', get(`/${'a'.repeat(40_000)}`), 431, 'HeadersTooLargeError'],
      ['two lengths', get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), 400, 'InvalidInputError'],
      ['one length twice', get('/', 'Content-Length: 1\r\nContent-Length: 1\r\n'), 400, 'InvalidInputError'],
      ['a list of lengths', get('/', 'Content-Length: 1, 1\r\n'), 400, 'InvalidInputError'],
      ['a negative length', get('/', 'Content-Length: -1\r\n'), 400, 'InvalidInputError'],
      [
        'a length beside chunks',
        get('/', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
        400,
        'InvalidInputError',
      ],
      [
        'chunks beside a length',
        get('/', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
        400,
        'InvalidInputError',
      ],
      [
        'chunks that are not last',
        get('/', 'Transfer-Encoding: chunked, gzip\r\n'),
        400,
        'InvalidInputError',
      ],
      ['a folded header', get('/', 'x: a\r\n b\r\n'), 400, 'InvalidInputError'],
      ['a blank before a colon', get('/', 'Content-Length : 5\r\n'), 400, 'InvalidInputError'],
      ['a bare line feed', 'GET / HTTP/1.1\nHost: a\n\n', 400, 'InvalidInputError'],
      ['a NUL in a header', get('/', 'x: a\0b\r\n'), 400, 'InvalidInputError'],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'InvalidInputError'],
      ['no Host of a body', 'POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx', 400, 'InvalidInputError'],
      ['an expectation of wonders', get('/', 'Expect: wonders\r\n'), 400, 'InvalidInputError'],
      ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'InvalidInputError'],
    ]
    for (const [name, text, status, error] of rows) {
      it(`${name}: ${status}`, async () => {
        const { port, lines } = await serve(hello)
        const client = new RawClient(port).send(text)
        const answer = await client.answer()
        expect(answer.status).to.equal(status)
        expect(answer.headers).to.include({
          'content-type': 'application/json',
          'access-control-allow-origin': '*',
          'x-content-type-options': 'nosniff',
          'content-security-policy': 'sandbox',
          connection: 'close',
        })
        expect(JSON.parse(answer.body)).to.have.property('error', error)
        expect(Number(answer.headers['content-length'])).to.equal(answer.body.length)
        expect(client.error).to.equal(undefined)
        expect(lines.filter((line) => line.msg === 'request refused')).to.have.length(1)
      })
    }

    it('and leaves the answer readable though she goes on sending', async () => {
      const { port, lines } = await serve(hello)
      const client = new RawClient(port)
      client.socket.pause()
      client.send(get('/', `x: ${'a'.repeat(40_000)}`))
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        client.send('a'.repeat(100_000))
      }
      client.socket.resume()
      await client.until(/\}$/)
      client.socket.end()
      expect((await client.answer()).status).to.equal(431)
      expect(client.error).to.equal(undefined)
      expect(lines.filter((line) => line.msg === 'request refused')).to.have.length(1)
    })

    it('but not for ever', async () => {
      const { port } = await serve(hello)
      const client = new RawClient(port)
      client.socket.pause()
      client.send(get('/', `x: ${'a'.repeat(40_000)}`))
      const flood = setInterval(() => client.socket.writable && client.send('a'.repeat(300_000)), 10)
      const startedMs = performance.now()
      await client.closed
      clearInterval(flood)
      expect(performance.now() - startedMs).to.be.below(1_000)
    })

    it('but takes a request of HTTP/1.0, which need not name a Host', async () => {
      const { port } = await serve(hello)
      expect((await exchange(port, 'GET / HTTP/1.0\r\n\r\n')).status).to.equal(200)
    })

    it('and counts each request that it never serves', async () => {
      const turnedAway: TurnedAway[] = []
      const instruments = { ...noHttpInstruments, turnedAway: (why: TurnedAway) => void turnedAway.push(why) }
      const { port } = await serve(hello, { instruments })
      await exchange(port, 'GET / HTTP/1.1\r\n\r\n')
      await exchange(port, get('/', 'Expect: wonders\r\n'))
      await exchange(port, 'no HTTP\r\n\r\n')
      expect(turnedAway).to.deep.equal(['malformed', 'malformed', 'malformed'])
    })

    it('and neither counts nor logs a client as refused that leaves in the middle of its body', async () => {
      const turnedAway: TurnedAway[] = []
      const instruments = { ...noHttpInstruments, turnedAway: (why: TurnedAway) => void turnedAway.push(why) }
      let closed = false
      const { port, lines } = await serve(
        () => (_req, res) => {
          res.once('close', () => {
            closed = true
          })
        },
        { instruments },
      )
      const client = new RawClient(port).send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
      client.socket.end()
      await client.closed
      await eventually(() => closed)
      expect(turnedAway).to.deep.equal([])
      expect(lines).to.deep.equal([])
    })

    for (const [title, sent] of [
      ['a chunk that is none', 'Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n'],
      ['a body that does not come in time', 'Content-Length: 5\r\n\r\nab'],
    ] as const) {
      it(`and counts and logs as refused, though its request is under way, ${title}`, async () => {
        const turnedAway: TurnedAway[] = []
        const instruments = {
          ...noHttpInstruments,
          turnedAway: (why: TurnedAway) => void turnedAway.push(why),
        }
        const limits = { requestTimeoutMs: 300, headersTimeoutMs: 300, checkIntervalMs: 50 }
        const { port, lines } = await serve(() => () => undefined, { instruments, limits })
        const client = new RawClient(port).send(`POST / HTTP/1.1\r\nHost: a\r\n${sent}`)
        await client.closed
        expect(client.received).to.match(/^HTTP\/1\.1 40[08] /)
        expect(turnedAway).to.deep.equal(['malformed'])
        expect(lines).to.have.lengthOf(1)
      })
    }

    it('never into an answer that has begun', async () => {
      const { port } = await serve(() => (_req, res) => void res.write('begun'))
      const client = new RawClient(port).send(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      await client.until(/begun/)
      client.send('not a chunk\r\n')
      await client.closed
      expect(client.received.match(/HTTP\/1\.1/g)).to.have.length(1)
    })
  })

  describe('beats a slow client', () => {
    const limits = { headersTimeoutMs: 100, requestTimeoutMs: 300, checkIntervalMs: 20 }

    it('who sends a header now and then: 408', async () => {
      const { port } = await serve(hello, { limits })
      const client = new RawClient(port).send('GET / HTTP/1.1\r\n')
      const drip = setInterval(() => client.socket.writable && client.send('x: y\r\n'), 30)
      const startedMs = performance.now()
      await client.until(/\}$/)
      clearInterval(drip)
      client.socket.end()
      const answer = await client.answer()
      expect(performance.now() - startedMs).to.be.below(2_000)
      expect(answer.status).to.equal(408)
      expect(answer.headers).to.include({ 'access-control-allow-origin': '*' })
      expect(JSON.parse(answer.body)).to.have.property('error', 'RequestTimeoutError')
    })

    it('who connects and says nothing', async () => {
      const { port } = await serve(hello, { limits })
      const client = new RawClient(port)
      client.socket.once('end', () => client.socket.end())
      expect((await client.answer()).status).to.equal(408)
    })

    it('whose body trickles in', async () => {
      const { port } = await serve(() => (req, res) => void req.resume().once('end', () => res.end()), {
        limits,
      })
      const client = new RawClient(port).send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
      const drip = setInterval(() => client.socket.writable && client.send('x'), 20)
      await client.until(/\}$/)
      clearInterval(drip)
      client.socket.end()
      expect((await client.answer()).status).to.equal(408)
    })

    it('who does not read what it asked for', async () => {
      let closed = false
      const big = Buffer.alloc(32 * 1024 * 1024)
      const { port } = await serve(
        () => (_req, res) => {
          res.once('close', () => {
            closed = true
          })
          res.end(big)
        },
        { limits: { idleTimeoutMs: 200 } },
      )
      const client = new RawClient(port)
      client.socket.pause()
      client.send(get())
      await eventually(() => closed)
      client.socket.destroy()
    })
  })

  describe('with a limit of sockets per peer', () => {
    const open = async (port: number): Promise<RawClient> => {
      const client = new RawClient(port)
      await new Promise<void>((resolve) => client.socket.once('connect', () => resolve()))
      return client
    }

    it('refuses one more, and takes it when another has gone', async () => {
      const { port } = await serve(hello, { limits: { maxSocketsPerPeer: 2 } })
      const [first, second] = [await open(port), await open(port)]
      const third = await open(port)
      const refusal = await third.answer()
      expect(refusal.status).to.equal(429)
      expect(refusal.headers).to.include({ 'access-control-allow-origin': '*', 'retry-after': '5' })
      expect(JSON.parse(refusal.body)).to.include({
        error: 'RateLimitedError',
        message: 'too many open connections from this address',
      })
      first.socket.end()
      await first.closed
      expect((await exchange(port, get('/', 'Connection: close\r\n'))).status).to.equal(200)
      second.socket.destroy()
    })

    it('0 is no limit', async () => {
      const { port } = await serve(hello, { limits: { maxSocketsPerPeer: 0 } })
      const clients = await Promise.all(Array.from({ length: 600 }, () => open(port)))
      expect((await exchange(port, get('/', 'Connection: close\r\n'))).status).to.equal(200)
      for (const { socket } of clients) socket.destroy()
    })

    it('does not serve a refused socket that sends at once', async () => {
      let served = 0
      const { port } = await serve(
        () => (_req, res) => {
          served++
          res.end()
        },
        { limits: { maxSocketsPerPeer: 1 } },
      )
      const first = await open(port)
      const client = new RawClient(port).send(get())
      await client.closed
      expect(served).to.equal(0)
      first.socket.destroy()
    })
  })

  describe('when it is closed', () => {
    /** Answers when it is told to. */
    async function serveSlowly(graceMs?: number) {
      const waiting: ServerResponse[] = []
      const server = await serve(
        () => (_req, res) => void waiting.push(res),
        graceMs === undefined ? {} : { graceMs },
      )
      return { ...server, waiting }
    }

    it('lets a request under way finish, and says that the connection closes', async () => {
      const { port, close, waiting } = await serveSlowly()
      const client = new RawClient(port).send(get())
      await eventually(() => waiting.length === 1)
      const closing = close()
      await untilRefused(port)
      waiting[0]?.end('done')
      const answer = await client.answer()
      expect(answer.body).to.contain('done')
      expect(answer.headers).to.include({ connection: 'close' })
      await closing
    })

    it('closes connections without work at once', async () => {
      const { port, close } = await serve(hello)
      const [silent, kept] = [new RawClient(port), new RawClient(port).send(get())]
      await kept.until(/hello/)
      const startedMs = performance.now()
      await close()
      await Promise.all([silent.closed, kept.closed])
      expect(performance.now() - startedMs).to.be.below(1_000)
    })

    it('closes a kept connection when an answer that had begun is done', async () => {
      const { port, close, waiting } = await serveSlowly()
      const client = new RawClient(port).send(get())
      await eventually(() => waiting.length === 1)
      waiting[0]?.write('begun')
      await client.until(/begun/)
      const closing = close()
      waiting[0]?.end()
      await client.closed
      await closing
    })

    it('cuts off what is not done in time', async () => {
      const { port, close, waiting, lines } = await serveSlowly(100)
      const client = new RawClient(port).send(get())
      await eventually(() => waiting.length === 1)
      await close()
      await client.closed
      expect(lines.some((line) => line.msg === 'requests under way were cut off')).to.equal(true)
    })

    it('may be closed twice', async () => {
      const { close } = await serve(hello)
      await Promise.all([close(), close()])
      await close()
    })
  })
})

/** Resolves when the port takes no more connections. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const refused = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(true))
      socket.once('connect', () => resolve(false))
    })
    socket.destroy()
    if (refused) return
  }
}
