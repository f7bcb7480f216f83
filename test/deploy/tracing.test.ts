import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { routeTemplate } from '../../deploy/process/watch/route-template.ts'
import { asksForTraces, propagatorsOf } from '../../deploy/process/watch/tracing-env.ts'
import { challengeText } from '../../hub/auth/challenge.ts'
import { hubDocument } from '../../hub/openapi/index.ts'
import { readerDocument } from '../../reader/openapi.ts'
import { bob } from '../hub/people.ts'
import { v1Token } from '../hub/tokens.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../servers/otlp.ts'
import { addressIn, type BinProcess, endBins, runBin, startBin } from './bins.ts'
import { alice, authorizationAt } from './owner.ts'

const args = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0']
const file = { metrics: { port: 0 } }
const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'

describe('traces', () => {
  let receiver: OtlpReceiver
  let running: BinProcess
  let hub: string

  before(async () => {
    receiver = await startOtlpReceiver()
    running = await startBin('mandate-serve', {
      args,
      file,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-team=files',
        OTEL_SERVICE_NAME: 'our-hub',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
        OTEL_BSP_SCHEDULE_DELAY: '50',
      },
    })
    await running.until('stop ')
    hub = addressIn(running, 'write at')
  })
  after(async () => {
    await endBins()
    await receiver.close()
  })

  /** The spans of one trace, once those of so many requests have come: they are sent when they have ended. */
  async function trace(id: string, requests: number): Promise<ReceivedSpan[]> {
    const ofTrace = () => receiver.spans.filter((span) => span.traceId === id)
    const ended = () => ofTrace().filter(({ kind }) => kind === 2).length
    for (let i = 0; i < 200 && ended() < requests; i++) await sleep(25)
    return ofTrace()
  }

  it('go on with that of the caller (W3C Trace Context), through the request to the storage', async () => {
    const headers = {
      authorization: await authorizationAt(hub),
      'content-type': 'text/plain',
      traceparent: `00-${traceId}-${parentId}-01`,
    }
    const stored = await fetch(`${hub}store/${alice}/a`, { method: 'POST', headers, body: 'hello' })
    expect(stored.status).to.equal(202)

    const spans = await trace(traceId, 1)
    const request = spans.find(({ name }) => name === 'POST /store/{address}/{path}')
    expect(request).to.deep.include({ parentSpanId: parentId, kind: 2, isError: false })
    expect(request?.attributes).to.include({
      'http.request.method': 'POST',
      'http.route': '/store/{address}/{path}',
      'url.scheme': 'http',
      'http.response.status_code': 202,
      'http.request.body.size': 5,
      'mandate.server': 'hub',
    })
    expect(request?.resource).to.include({ 'service.name': 'our-hub', 'deployment.environment': 'test' })
    const write = spans.find(({ name }) => name === 'disk write')
    expect(write).to.deep.include({ parentSpanId: request?.spanId, kind: 3 })
    expect(receiver.headers).to.have.property('x-team', 'files')
    await running.until(`"traceId":"${traceId}"`)
  })

  it('hold what is done when the body has ended, a copy into history for instance', async () => {
    const id = traceId.replace('0af7', '0af8')
    const scopes = [{ scope: 'putFileArchival', domain: 'archived' }]
    const token = v1Token(bob, { scopes, gaiaChallenge: challengeText('gaia-0') })
    const headers = { authorization: `bearer ${token}`, traceparent: `00-${id}-${parentId}-01` }
    for (let i = 0; i < 2; i++) {
      // The end comes by the socket alone, long after the handler was called.
      const body = Readable.from(slowly(['one', 'two']))
      const init = { method: 'POST', headers, body, duplex: 'half' } as unknown as RequestInit
      expect((await fetch(`${hub}store/${bob.address}/archived`, init)).status).to.equal(202)
    }
    const spans = await trace(id, 2)
    const copy = spans.find(({ name }) => name === 'disk copy')
    const above = spans.find(({ spanId }) => spanId === copy?.parentSpanId)
    expect(above?.name).to.be.oneOf(['disk write', 'POST /store/{address}/{path}'])
  })

  it('begin anew without a caller, tell of the reader too, and make nothing of probes', async () => {
    const before = receiver.spans.length
    expect((await fetch(`${addressIn(running, 'read at')}${alice}/none`)).status).to.equal(404)
    const found = () => receiver.spans.slice(before).find(({ name }) => name === 'GET /{address}/{path}')
    for (let i = 0; i < 200 && found() === undefined; i++) await sleep(25)
    expect(found()).to.include({ parentSpanId: '', isError: false })
    expect(found()?.attributes).to.include({ 'mandate.server': 'reader', 'http.response.status_code': 404 })
  })

  it('name methods that nobody knows in one way, and the scheme that the client used', async () => {
    const id = traceId.replace('0af7', '0af9')
    const asked = request(`${hub}store/${alice}/a`, {
      method: 'PROPFIND',
      headers: { traceparent: `00-${id}-${parentId}-01`, 'x-forwarded-proto': 'https' },
    }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    const [span] = await trace(id, 1)
    expect(span?.name).to.equal('HTTP')
    expect(span?.attributes).to.include({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
      'url.scheme': 'https',
    })
  })

  it('tell the status of an answer of 500 or more as the kind of its error', async () => {
    const id = traceId.replace('0af7', '0afa')
    const headers = {
      authorization: await authorizationAt(hub),
      'content-type': 'application/json',
      traceparent: `00-${id}-${parentId}-01`,
    }
    const body = JSON.stringify({ size: 5, contentType: 'text/plain' })
    const answer = await fetch(`${hub}upload/${alice}/a`, { method: 'POST', headers, body })
    expect(answer.status).to.equal(501)
    const span = (await trace(id, 1)).find(({ kind }) => kind === 2)
    expect(span).to.include({ name: 'POST /upload/{address}/{path}', isError: true })
    expect(span?.attributes).to.include({ 'error.type': '501' })
  })

  it('name routes by the paths that the documents of hub and reader have', () => {
    const documented = [hubDocument, readerDocument('/')].flatMap(({ paths }) => Object.keys(paths as object))
    const names = documented.map(
      (path) => /[a-z][a-z-_]*/.exec(path.replaceAll(/\{.*?\}/g, ''))?.[0] ?? 'read',
    )
    expect(names.map(routeTemplate)).to.deep.equal(documented)
  })

  it('hold no token and no path', () => {
    const told = JSON.stringify(receiver.spans)
    expect(told).not.to.include('eyJ').and.not.include('archived')
  })

  it('that are still in memory are sent at the end', async () => {
    const before = receiver.spans.length
    await fetch(`${hub}hub_info`)
    running.child.kill('SIGTERM')
    expect(await running.exit()).to.equal(0)
    expect(receiver.spans.slice(before).map(({ name }) => name)).to.include('GET /hub_info')
  })
})

describe('traces that are not to go on with those of callers (OTEL_PROPAGATORS=none)', () => {
  let receiver: OtlpReceiver

  before(async () => {
    receiver = await startOtlpReceiver()
  })
  after(async () => {
    await endBins()
    await receiver.close()
  })

  it('begin anew', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_PROPAGATORS: 'none' }
    const running = await startBin('mandate-serve', { args, file, env })
    await running.until('stop ')
    const headers = { traceparent: `00-${traceId}-${parentId}-01` }
    await fetch(`${addressIn(running, 'write at')}hub_info`, { headers })
    running.child.kill('SIGTERM')
    expect(await running.exit()).to.equal(0)
    const [span, ...others] = receiver.spans
    expect(others).to.deep.equal([])
    expect(span?.parentSpanId).to.equal('')
    expect(span?.traceId).not.to.equal(traceId)
  })
})

describe('traces that nobody takes', () => {
  let collector: Server

  beforeEach(async () => {
    collector = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(collector, 'listening')
  })
  afterEach(async () => {
    await endBins()
    collector.closeAllConnections()
    collector.close()
  })

  for (const workers of ['1', '2']) {
    for (const fault of ['is down', 'never answers']) {
      it(`leave the end one in order, and soon, where the collector ${fault} (--workers ${workers})`, async () => {
        const { port } = collector.address() as AddressInfo
        if (fault === 'is down') collector.close()
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
        const running = await startBin('mandate-serve', { args: [...args, '--workers', workers], file, env })
        await running.until('stop ')
        for (let i = 0; i < 4; i++) {
          const headers = { connection: 'close' }
          await (await fetch(`${addressIn(running, 'write at')}hub_info`, { headers })).text()
        }
        const beganMs = performance.now()
        running.child.kill('SIGTERM')
        expect(await running.exit(), running.stdout()).to.equal(0)
        expect(performance.now() - beganMs).to.be.below(6_000)
        expect(running.stdout()).to.include('the last traces are lost').and.not.include('"level":60')
      })
    }
  }
})

async function* slowly(texts: readonly string[]) {
  for (const text of texts) {
    yield Buffer.from(text)
    await sleep(100)
  }
}

describe('the variables of OpenTelemetry', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  const rows: [title: string, env: Record<string, string>, asked: boolean][] = [
    ['none', {}, false],
    ['an endpoint', endpoint, true],
    [
      'an endpoint for traces',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' },
      true,
    ],
    ['the exporter alone', { OTEL_TRACES_EXPORTER: 'otlp' }, true],
    ['an endpoint, and no traces', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, false],
    ['an endpoint, all switched off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }, false],
    ['a service name alone', { OTEL_SERVICE_NAME: 'hub' }, false],
    ['the protocol that is here', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, true],
  ]
  for (const [title, env, asked] of rows) {
    it(`${title}: ${asked ? 'traces' : 'no traces'}`, () => {
      expect(asksForTraces(env)).to.equal(asked)
    })
  }

  for (const [value, names] of [
    [undefined, ['tracecontext', 'baggage']],
    ['', ['tracecontext', 'baggage']],
    ['tracecontext', ['tracecontext']],
    ['baggage, tracecontext', ['baggage', 'tracecontext']],
    ['none', []],
  ] as const) {
    it(`have traces handed on as OTEL_PROPAGATORS=${value} says`, () => {
      const env = value === undefined ? {} : { OTEL_PROPAGATORS: value }
      expect([...propagatorsOf(env)]).to.deep.equal(names)
    })
  }

  for (const value of ['b3', 'tracecontext,b3', 'none,baggage', 'TraceContext', ',']) {
    it(`have OTEL_PROPAGATORS=${value} refused`, () => {
      expect(() => propagatorsOf({ OTEL_PROPAGATORS: value })).to.throw(
        `OTEL_PROPAGATORS is "${value}"; it must be a list of "tracecontext" and "baggage", or "none"`,
      )
    })
  }

  it('stop the start where they ask for what is not here', async () => {
    const failed = await runBin('mandate-serve', {
      args,
      file,
      env: { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    })
    expect([failed.status, failed.stderr]).to.deep.equal([
      2,
      'error: the environment variable OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"; it must be "http/protobuf"\n',
    ])
    expect(() => asksForTraces({ OTEL_TRACES_EXPORTER: 'zipkin' })).to.throw('OTEL_TRACES_EXPORTER')
  })
})
