import { request } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type { Logger } from 'pino'
import { baseApp } from '../../http/base-app.ts'
import { WireError } from '../../http/errors.ts'
import type { DrainLimits } from '../../http/refuse.ts'
import { closeServers, parseAnswer, RawClient, serve } from './serve.ts'

const uploadBytes = 30_000_000
const upload = Buffer.alloc(uploadBytes, 'x')
const takenBytes = 1_000_000

/** `/refuse` refuses by the head alone, `/late` so too but later, `/limit` after a million bytes. */
function refusingApp(drainLimits?: DrainLimits) {
  return (logger: Logger) =>
    baseApp(
      {
        logger,
        methods: ['POST'],
        exposedHeaders: [],
        check: async () => {},
        ...(drainLimits === undefined ? {} : { drainLimits }),
      },
      (app) => {
        app.post('/refuse', () => {
          throw new WireError('unauthorized', 'no')
        })
        app.post('/late', async () => {
          await new Promise((resolve) => setTimeout(resolve, 50))
          throw new WireError('unauthorized', 'no')
        })
        app.post('/limit', async (req) => {
          await pipeline(req, limit, new PassThrough().resume())
        })
      },
    )
}

async function* limit(source: AsyncIterable<Buffer>) {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > takenBytes) throw new WireError('payload_too_large', 'too large')
    yield chunk
  }
}

function* slices() {
  for (let at = 0; at < uploadBytes; at += 65_536) yield upload.subarray(at, at + 65_536)
}

/** An upload by `node:http`, which is told of a reset at once. */
function nodeUpload(url: string, headers: Record<string, string | number>): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', headers }, (res) => {
      res.resume().once('end', () => resolve(res.statusCode ?? 0))
    })
    req.once('error', reject)
    Readable.from(slices()).pipe(req)
  })
}

const statuses = { '/refuse': 401, '/late': 401, '/limit': 413 } as const

describe('a refusal while the client is still uploading 30 MB', () => {
  afterEach(closeServers)

  for (const [path, status] of Object.entries(statuses)) {
    it(`is read by fetch with a Content-Length (${path})`, async () => {
      const { url } = await serve(refusingApp())
      const answer = await fetch(url + path, { method: 'POST', body: upload })
      expect(answer.status).to.equal(status)
      expect(await answer.json()).to.have.property('error')
    })

    it(`is read by fetch with chunks (${path})`, async () => {
      const { url } = await serve(refusingApp())
      const body = Readable.toWeb(Readable.from(slices())) as ReadableStream
      // `duplex` is not in the DOM's types.
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit
      expect((await fetch(url + path, init)).status).to.equal(status)
    })

    it(`is read by node:http with a Content-Length (${path})`, async () => {
      const { url } = await serve(refusingApp())
      expect(await nodeUpload(url + path, { 'Content-Length': uploadBytes })).to.equal(status)
    })

    it(`is read by node:http with chunks (${path})`, async () => {
      const { url } = await serve(refusingApp())
      expect(await nodeUpload(url + path, {})).to.equal(status)
    })

    it(`is read by a client that looks only after its last byte (${path})`, async () => {
      const { port } = await serve(refusingApp())
      const client = new RawClient(port)
      client.socket.pause()
      client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${uploadBytes}\r\n\r\n`)
      await new Promise<void>((resolve) => client.socket.write(upload, () => resolve()))
      client.socket.resume()
      const answer = await client.answer()
      expect(answer.status).to.equal(status)
      expect(answer.headers).to.include({ connection: 'close', 'access-control-allow-origin': '*' })
      expect(client.error).to.equal(undefined)
    })
  }

  it('comes before the upload where the client waits for 100 Continue', async () => {
    const { port } = await serve(refusingApp())
    const client = new RawClient(port)
    client.send(
      `POST /refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${uploadBytes}\r\n\r\n`,
    )
    await client.until(/\}$/)
    client.socket.end()
    expect((await client.answer()).status).to.equal(401)
  })

  it('follows 100 Continue where the body is wanted', async () => {
    const { port } = await serve(refusingApp())
    const client = new RawClient(port)
    client.send(
      `POST /limit HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${uploadBytes}\r\n\r\n`,
    )
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    client.send(upload)
    await client.closed
    expect(parseAnswer(client.received.slice(client.received.indexOf('\r\n\r\n') + 4)).status).to.equal(413)
  })

  it('keeps the connection where little of the body is left', async () => {
    const { port } = await serve(refusingApp())
    const client = new RawClient(port).send(
      'POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n',
    )
    await client.until(/\}$/)
    client.send('x'.repeat(1_000))
    client.send('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await client.closed
    expect(client.received).to.match(/^HTTP\/1\.1 401 .*HTTP\/1\.1 200 OK/s)
  })

  describe('has bounds for mallory', () => {
    const until = async (client: RawClient) => {
      const startedMs = performance.now()
      await client.closed
      return performance.now() - startedMs
    }

    it('who never ends her body', async () => {
      const { port } = await serve(refusingApp({ maxBytes: 1e9, maxMs: 200 }))
      const client = new RawClient(port).send(
        'POST /refuse HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      )
      expect(await until(client)).to.be.within(150, 1_500)
      expect((await client.answer()).status).to.equal(401)
    })

    it('who promises a small body and does not send it', async () => {
      const { port } = await serve(refusingApp({ maxBytes: 1e9, maxMs: 200 }))
      const client = new RawClient(port).send('POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n')
      expect(await until(client)).to.be.within(150, 1_500)
    })

    it('who sends without end', async () => {
      const { port } = await serve(refusingApp({ maxBytes: 2_000_000, maxMs: 300 }))
      const client = new RawClient(port).send(
        'POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000\r\n\r\n',
      )
      const flood = () => {
        while (client.socket.writable && client.socket.write(upload.subarray(0, 65_536)));
      }
      client.socket.on('drain', flood)
      flood()
      expect(await until(client)).to.be.within(200, 2_000)
      // What the buffers of the two kernels hold was never read by the server.
      expect(client.socket.bytesWritten - client.socket.writableLength).to.be.below(20_000_000)
      expect((await client.answer()).status).to.equal(401)
    })
  })
})
