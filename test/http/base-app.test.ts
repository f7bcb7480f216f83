import { expect } from 'chai'
import express, { type Express } from 'express'
import type { Logger } from 'pino'
import { DriverError } from '../../drivers/errors.ts'
import { KeyError } from '../../drivers/key.ts'
import { baseApp } from '../../http/base-app.ts'
import { WireError } from '../../http/errors.ts'
import { nameRoute } from '../../http/request-context.ts'
import { sendJson } from '../../http/send-json.ts'
import { closeServers, eventually, exchange, RawClient, serve } from './serve.ts'

const methods = ['DELETE', 'POST', 'PUT', 'GET', 'OPTIONS', 'HEAD']

function appWith(mount: (app: Express) => void, check = async () => {}) {
  return (logger: Logger) => baseApp({ logger, methods, exposedHeaders: ['ETag'], check }, mount)
}

function throwing(error: unknown) {
  return appWith((app) => {
    app.all('/fail', () => {
      throw error
    })
  })
}

describe('what every server answers alike', () => {
  afterEach(closeServers)

  describe('CORS', () => {
    it('answers a preflight with every header that Stacks clients send, by name', async () => {
      const { url } = await serve(appWith(() => {}))
      const answer = await fetch(`${url}/store/a/b`, { method: 'OPTIONS' })
      expect(answer.status).to.equal(204)
      expect(await answer.text()).to.equal('')
      expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
      expect(answer.headers.get('access-control-max-age')).to.equal('86400')
      expect(answer.headers.get('access-control-allow-methods')).to.equal('DELETE,POST,PUT,GET,OPTIONS,HEAD')
      const allowed = answer.headers.get('access-control-allow-headers')?.split(',')
      expect(allowed).to.include.members([
        'Authorization',
        'Content-Type',
        'If-Match',
        'If-None-Match',
        'x-hiro-product',
        'ucans',
        'Range',
        'If-Range',
        'If-Modified-Since',
      ])
    })

    for (const path of ['/ok', '/fail', '/nowhere', '/%zz']) {
      it(`lets any origin read the answer of ${path}`, async () => {
        const { url } = await serve(throwing(new Error('no')))
        const answer = await fetch(url + path)
        expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
        expect(answer.headers.get('access-control-expose-headers')).to.equal('ETag')
      })
    }
  })

  describe('security headers', () => {
    for (const [method, path] of [
      ['GET', '/ok'],
      ['GET', '/fail'],
      ['OPTIONS', '/ok'],
    ] as const) {
      it(`stand on ${method} ${path}`, async () => {
        const { url } = await serve(throwing(new Error('no')))
        const { headers } = await fetch(url + path, { method })
        expect(headers.get('x-content-type-options')).to.equal('nosniff')
        expect(headers.get('content-security-policy')).to.equal('sandbox')
        expect(headers.get('cross-origin-resource-policy')).to.equal('cross-origin')
        expect(headers.has('x-powered-by')).to.equal(false)
        expect(headers.has('strict-transport-security')).to.equal(false)
      })
    }

    it('holds HSTS where the operator says that all is HTTPS', async () => {
      const check = async () => {}
      const { url } = await serve((logger) =>
        baseApp({ logger, methods, exposedHeaders: [], check, hsts: true }, () => {}),
      )
      const { headers } = await fetch(`${url}/healthz`)
      expect(headers.get('strict-transport-security')).to.equal('max-age=31536000')
    })
  })

  describe('errors', () => {
    const rows: [string, unknown, number, object][] = [
      ['a refusal', new WireError('unauthorized', 'why'), 401, { message: 'why', error: 'ValidationError' }],
      [
        'a refusal with details',
        new WireError('not_authorized', 'why', { details: { code: 'not-covered' } }),
        403,
        { message: 'why', error: 'NotAuthorizedError', code: 'not-covered' },
      ],
      ['a name that is refused', new KeyError('bad'), 403, { message: 'bad', error: 'BadPathError' }],
      [
        'a failed condition',
        new DriverError('precondition_failed', 'other', { etag: 'e1' }),
        412,
        { message: 'other', error: 'PreconditionFailedError', etag: '"e1"' },
      ],
      ['an invalid key', new DriverError('invalid_key', 'k'), 403, { message: 'k', error: 'BadPathError' }],
      ['a missing object', new DriverError('not_found', 'n'), 404, { message: 'n', error: 'DoesNotExist' }],
      [
        'a bad cursor',
        new DriverError('invalid_cursor', 'c'),
        400,
        { message: 'c', error: 'InvalidInputError' },
      ],
      ['a busy key', new DriverError('busy', 'b'), 409, { message: 'b', error: 'ConflictError' }],
      [
        'a range outside',
        new DriverError('range_not_satisfiable', 'r', { size: 7 }),
        416,
        { message: 'r', error: 'RangeNotSatisfiableError', size: 7 },
      ],
      [
        'a storage that is down',
        new DriverError('unavailable', 'u'),
        503,
        { message: 'u', error: 'StorageError' },
      ],
      [
        'a storage that misbehaves',
        new DriverError('backend', 'x'),
        502,
        { message: 'x', error: 'StorageError' },
      ],
      ['anything else', new TypeError('secret'), 500, { message: 'Server Error' }],
      [
        'an error that names a status',
        Object.assign(new Error('secret'), { status: 404 }),
        500,
        { message: 'Server Error' },
      ],
      ['a thrown text', 'secret', 500, { message: 'Server Error' }],
    ]
    for (const [name, error, status, body] of rows) {
      it(`renders ${name} as ${status}`, async () => {
        const { url } = await serve(throwing(error))
        const answer = await fetch(`${url}/fail`)
        expect(answer.status).to.equal(status)
        expect(answer.headers.get('content-type')).to.equal('application/json')
        expect(answer.headers.get('cache-control')).to.equal('no-store')
        expect(await answer.json()).to.deep.equal(body)
      })
    }

    it('tells when to come back after every storage fault', async () => {
      for (const code of ['unavailable', 'backend'] as const) {
        const { url } = await serve(throwing(new DriverError(code, 'x')))
        expect(Number((await fetch(`${url}/fail`)).headers.get('retry-after'))).to.be.within(1, 60)
      }
    })

    it('tells the size with a 416', async () => {
      const { url } = await serve(throwing(new DriverError('range_not_satisfiable', 'r', { size: 7 })))
      expect((await fetch(`${url}/fail`)).headers.get('content-range')).to.equal('bytes */7')
    })

    const bodies: [string, string, string, Record<string, string>, number][] = [
      ['malformed JSON', 'InvalidInputError', '{"ucan":"eyJhbGciOi.secret', {}, 400],
      ['a body over the limit', 'PayloadTooLargeError', `"${'a'.repeat(2_000)}"`, {}, 413],
      ['an unknown encoding', 'InvalidInputError', '{}', { 'Content-Encoding': 'rot13' }, 400],
      [
        'a charset that is not UTF',
        'InvalidInputError',
        '{}',
        { 'Content-Type': 'application/json; charset=koi8-r' },
        400,
      ],
    ]
    for (const [name, error, body, headers, status] of bodies) {
      it(`answers ${name} with ${status} in the one shape, and quotes nothing of it`, async () => {
        const { url, lines } = await serve(
          appWith((app) => app.post('/json', express.json({ limit: 1_000 }))),
        )
        const answer = await fetch(`${url}/json`, {
          method: 'POST',
          body,
          headers: { 'Content-Type': 'application/json', ...headers },
        })
        expect(answer.status).to.equal(status)
        const text = await answer.text()
        expect((JSON.parse(text) as { error: string }).error).to.equal(error)
        expect(text + JSON.stringify(lines)).not.to.contain('secret')
      })
    }

    it('answers an escape in a route parameter that does not decode with 400', async () => {
      const { port } = await serve(
        appWith((app) => app.get('/p/:name', (_req, res) => sendJson(res, 200, {}))),
      )
      const answer = await exchange(port, 'GET /p/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect(answer.status).to.equal(400)
      expect(JSON.parse(answer.body)).to.have.property('error', 'InvalidInputError')
    })

    it('forgets the headers of the answer that failed', async () => {
      const { url } = await serve(
        appWith((app) =>
          app.get('/fail', (_req, res) => {
            res
              .setHeader('ETag', '"e1"')
              .setHeader('Content-Length', 5)
              .setHeader('Cache-Control', 'immutable')
            throw new WireError('not_found', 'gone')
          }),
        ),
      )
      const answer = await fetch(`${url}/fail`)
      expect(answer.headers.has('etag')).to.equal(false)
      expect(answer.headers.get('cache-control')).to.equal('no-store')
      expect(await answer.json()).to.have.property('message', 'gone')
    })

    it('cuts off an answer that has begun, so that it cannot look whole', async () => {
      const { port, lines } = await serve(
        appWith((app) =>
          app.get('/fail', (_req, res) => {
            res.write('half')
            throw new Error('broken')
          }),
        ),
      )
      const client = new RawClient(port).send('GET /fail HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.closed
      expect(client.received).not.to.match(/0\r\n\r\n$/)
      expect(lines.some((line) => line.msg === 'answer cut off')).to.equal(true)
    })

    it('sends no body with a HEAD, and the same headers', async () => {
      const { url } = await serve(throwing(new WireError('not_found', 'gone')))
      const [head, get] = [await fetch(`${url}/fail`, { method: 'HEAD' }), await fetch(`${url}/fail`)]
      expect(head.headers.get('content-length')).to.equal(get.headers.get('content-length'))
      expect(await head.text()).to.equal('')
    })
  })

  describe('the request log', () => {
    const ownRoute = appWith((app) => {
      app.post('/store/:address/*path', express.raw({ type: () => true }), (req, res) => {
        nameRoute(res, 'store', String(req.params.address))
        sendJson(res, 202, {})
      })
    })

    it('writes one line with route, address and sizes, but no path, query or token', async () => {
      const { url, lines, requests } = await serve(ownRoute)
      await fetch(`${url}/store/1abc/private-name?q=hidden`, {
        method: 'POST',
        headers: { Authorization: 'bearer v1:eyJhbGciOiJFUzI1NksifQ.eyJpc3MiOiIwMiJ9.c2ln' },
        body: 'x'.repeat(1_000),
      })
      await eventually(() => requests().length === 1)
      const [line] = requests()
      expect(line).to.include({
        method: 'POST',
        route: 'store',
        address: '1abc',
        status: 202,
        bytes: 1_000,
        level: 30,
      })
      expect(line?.sent).to.be.above(100)
      expect(line?.ms).to.be.within(0, 2_000)
      expect(JSON.stringify(lines)).not.to.match(/private-name|hidden|eyJ|bearer/i)
    })

    it('tells of each of several pipelined requests what was sent for it', async () => {
      const { port, requests } = await serve(
        appWith((app) => {
          app.get('/slow', (_req, res) => void setTimeout(() => res.end('x'.repeat(1_000)), 50))
          app.get('/quick', (_req, res) => void res.end('x'.repeat(20_000)))
        }),
      )
      const get = (path: string, id: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\n`
      const client = new RawClient(port)
      client.send(`${get('/slow', '1')}\r\n${get('/quick', '2')}\r\n`)
      client.send(`${get('/slow', '3')}Connection: close\r\n\r\n`)
      await client.closed
      await eventually(() => requests().length === 3)
      const sizes = client.received.split(/(?=HTTP\/1\.1 )/).map((answer) => answer.length)
      const sent = ['1', '2', '3'].map((id) => requests().find((line) => line.id === id)?.sent)
      expect(sent).to.deep.equal(sizes)
    })

    for (const [given, kept] of [
      ['req-1.a:b_c', true],
      ['a'.repeat(64), true],
      ['a'.repeat(65), false],
      ['a b', false],
      ['a"b', false],
      ['<script>', false],
    ] as const) {
      it(`${kept ? 'keeps' : 'replaces'} the request id ${given}`, async () => {
        const { url, requests } = await serve(ownRoute)
        const answer = await fetch(`${url}/healthz`, { headers: { 'X-Request-Id': given } })
        const id = answer.headers.get('x-request-id')
        expect(id === given).to.equal(kept)
        await eventually(() => requests().length === 1)
        expect(requests()[0]).to.have.property('id', id)
      })
    }

    it('logs a refusal as a warning and a fault as an error, with its stack', async () => {
      const { url, lines, requests } = await serve(throwing(new TypeError('broken')))
      await fetch(`${url}/nowhere`)
      await fetch(`${url}/fail`)
      await eventually(() => requests().length === 2)
      expect(requests().map((line) => line.level)).to.deep.equal([40, 50])
      const fault = lines.find((line) => line.msg === 'request failed')
      expect(fault?.err).to.have.property('stack').that.contains('base-app.test')
      expect(fault?.id).to.equal(requests()[1]?.id)
    })

    it('blots tokens out of the errors of libraries', async () => {
      const token = 'eyJhbGciOiJFUzI1NksifQ.eyJpc3MiOiIwMiJ9.c2lnbmF0dXJl'
      const cause = new Error(`cannot parse ${token}`)
      const { url, lines } = await serve(
        throwing(Object.assign(new Error(`v1:${token}`, { cause }), { body: token })),
      )
      await fetch(`${url}/fail`)
      expect(JSON.stringify(lines)).to.contain('[token]').and.not.to.contain('eyJ')
    })

    it('writes a line when the client goes away before there is an answer', async () => {
      let arrived = false
      const { port, requests } = await serve(
        appWith((app) => {
          app.get('/slow', () => {
            arrived = true
          })
        }),
      )
      const client = new RawClient(port).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
      await eventually(() => arrived)
      client.socket.destroy()
      await eventually(() => requests().length === 1)
      expect(requests()[0]).to.include({ status: 499, aborted: true })
    })
  })

  describe('health', () => {
    it('is well while it answers, whatever the storage does', async () => {
      const { url } = await serve(
        appWith(
          () => {},
          async () => Promise.reject(new Error('down')),
        ),
      )
      const answer = await fetch(`${url}/healthz`)
      expect(answer.status).to.equal(200)
      expect(await answer.json()).to.deep.equal({ status: 'ok' })
    })

    it('is ready when the storage answers', async () => {
      const { url } = await serve(appWith(() => {}))
      const answer = await fetch(`${url}/readyz`)
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('cache-control')).to.equal('no-store')
    })

    for (const [name, error, reason] of [
      ['a driver error', new DriverError('unavailable', 'secret-host is down'), 'unavailable'],
      ['any other', new Error('secret-host'), 'error'],
    ] as const) {
      it(`tells the class of ${name}, and no more`, async () => {
        const { url } = await serve(
          appWith(
            () => {},
            async () => Promise.reject(error),
          ),
        )
        const answer = await fetch(`${url}/readyz`)
        expect(answer.status).to.equal(503)
        expect(await answer.json()).to.deep.equal({ status: 'unavailable', reason })
      })
    }

    it('is not ready when the storage does not answer within two seconds', async () => {
      const { url } = await serve(
        appWith(
          () => {},
          () => new Promise(() => {}),
        ),
      )
      const answer = await fetch(`${url}/readyz`)
      expect(answer.status).to.equal(503)
      expect(answer.headers.get('retry-after')).to.equal('2')
      expect(await answer.json()).to.have.property('reason', 'timeout')
    })

    it('asks the storage once for a hundred probes', async () => {
      let checks = 0
      const check = async () => {
        checks++
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const { url } = await serve(appWith(() => {}, check))
      const probes = await Promise.all(Array.from({ length: 100 }, () => fetch(`${url}/readyz`)))
      expect(probes.every(({ status }) => status === 200)).to.equal(true)
      expect((await fetch(`${url}/readyz`)).status).to.equal(200)
      expect(checks).to.equal(1)
    })
  })
})
