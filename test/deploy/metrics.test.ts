import { expect } from 'chai'
import { addressIn, type BinProcess, endBins, startBin } from './bins.ts'
import { metricsOf, type Samples, sumOf } from './metrics.ts'
import { alice, beginUpload, store } from './owner.ts'

const anywhere = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0']

async function start(file: object = {}): Promise<BinProcess> {
  const running = await startBin('mandate-serve', { args: anywhere, file: { metrics: { port: 0 }, ...file } })
  await running.until('stop ')
  return running
}

describe('the metrics of a process', () => {
  let running: BinProcess
  let hub: string
  let samples: Samples

  before(async () => {
    running = await start()
    hub = addressIn(running, 'write at')
    const reader = addressIn(running, 'read at')
    expect((await store(hub, 'a', 'hello')).status).to.equal(202)
    expect((await store(hub, 'a', 'hello again')).status).to.equal(202)
    expect((await fetch(`${reader}${alice}/a`)).status).to.equal(200)
    expect((await fetch(`${reader}${alice}/b`)).status).to.equal(404)
    const bad = await fetch(`${hub}store/${alice}/a`, {
      method: 'POST',
      headers: { authorization: 'bearer x.y.z' },
      body: 'x',
    })
    expect(bad.status).to.equal(401)
    await fetch(`${hub}delete/${alice}/none`, { method: 'DELETE' })
    await fetch(`${hub}whatever/${'x'.repeat(50)}`)
    samples = await metricsOf(running)
  })
  after(endBins)

  const rows: [title: string, name: string, labels: Record<string, string>, value: number][] = [
    [
      'requests by route and status',
      'mandate_http_requests_total',
      { server: 'hub', route: 'store', method: 'POST', status: '202' },
      2,
    ],
    [
      'requests of the reader',
      'mandate_http_requests_total',
      { server: 'reader', route: 'read', method: 'GET', status: '404' },
      1,
    ],
    [
      'requests that no route took, their paths told nowhere',
      'mandate_http_requests_total',
      { server: 'hub', route: 'none', status: '404' },
      1,
    ],
    ['latencies', 'mandate_http_request_duration_seconds_count', { server: 'hub', route: 'store' }, 3],
    ['bytes that came', 'mandate_http_received_bytes_total', { server: 'hub', route: 'store' }, 5 + 11 + 1],
    ['credentials that were good', 'mandate_hub_credentials_total', { outcome: 'accepted' }, 2],
    [
      'credentials by the code of their refusal',
      'mandate_hub_credentials_total',
      { outcome: 'malformed' },
      1,
    ],
    ['credentials that were missing', 'mandate_hub_credentials_total', { outcome: 'unauthorized' }, 1],
    ['calls to the storage', 'mandate_driver_calls_total', { call: 'write', outcome: 'ok' }, 2],
    ['their latencies', 'mandate_driver_call_duration_seconds_count', { call: 'write' }, 2],
    [
      'what memory could answer',
      'mandate_hub_cache_lookups_total',
      { cache: 'timestamps', result: 'miss' },
      1,
    ],
    ['the version', 'mandate_build_info', {}, 1],
  ]
  for (const [title, name, labels, value] of rows) {
    it(`tell ${title}`, () => {
      expect(sumOf(samples, name, labels), `${name} ${JSON.stringify(labels)}`).to.equal(value)
    })
  }

  it('tell bytes that went, sockets and the lag of the event loop', () => {
    expect(sumOf(samples, 'mandate_http_sent_bytes_total', { server: 'reader' })).to.be.greaterThan(11)
    expect(sumOf(samples, 'mandate_http_sockets', { server: 'hub' })).to.be.greaterThan(0)
    const lags = samples.filter(({ name }) => name.includes('lag'))
    expect(lags.map(({ name }) => name)).to.have.members(
      ['mean', 'p99', 'max'].map((which) => `mandate_event_loop_lag_${which}_seconds`),
    )
    for (const { name, value } of lags) expect(value, name).to.be.within(0, 5)
  })

  it('tell what is under way', async () => {
    const upload = await beginUpload(hub, 'slow', 10)
    upload.write('01234')
    const during = await metricsOf(running)
    expect(sumOf(during, 'mandate_http_requests_in_flight', { server: 'hub' })).to.equal(1)
    upload.write('56789')
    upload.end()
    expect(await upload.status).to.equal(202)
  })

  it('hold no address, path or token', () => {
    const labels = JSON.stringify(samples.map((sample) => sample.labels))
    expect(labels).not.to.include(alice).and.not.include('xxx').and.not.include('eyJ')
  })

  it('have names and units by the conventions of Prometheus', () => {
    const ours = new Set(samples.map(({ name }) => name).filter((name) => name.startsWith('mandate_')))
    for (const name of ours) {
      expect(name).to.match(
        /_(total|seconds_bucket|seconds_sum|seconds_count|seconds|info|sockets|in_flight|waiting)$/,
      )
    }
  })

  it('are at their own port only, whatever the query', async () => {
    expect((await fetch(`${hub}metrics`)).status).to.equal(404)
    const page = /metrics +(http:\S+)/.exec(running.stderr())?.[1] ?? ''
    expect(page).to.match(/^http:\/\/127\.0\.0\.1:/)
    expect((await fetch(`${page}?module=hub`)).status).to.equal(200)
    expect((await fetch(page.replace('/metrics', '/'))).status).to.equal(404)
    expect((await fetch(page, { method: 'POST' })).status).to.equal(405)
  })
})

describe('metrics of what has not happened yet', () => {
  let samples: Samples

  before(async () => {
    samples = await metricsOf(await start())
  })
  after(endBins)

  const rows: [name: string, labels: Record<string, string>][] = [
    ['mandate_hub_credentials_total', { outcome: 'accepted' }],
    ['mandate_hub_credentials_total', { outcome: 'unauthorized' }],
    ['mandate_hub_credentials_total', { outcome: 'wrong-audience' }],
    ['mandate_http_turned_away_total', { server: 'hub', reason: 'overload' }],
    ['mandate_http_turned_away_total', { server: 'reader', reason: 'sockets' }],
    ['mandate_hub_cache_lookups_total', { cache: 'grants', result: 'hit' }],
  ]
  for (const [name, labels] of rows) {
    it(`are 0 and not absent: ${name} ${Object.values(labels).join(' ')}`, () => {
      expect(samples).to.deep.include({ name, labels, value: 0 })
    })
  }
})

describe('metrics that nobody wants', () => {
  afterEach(endBins)

  it('are not there', async () => {
    const running = await start({ metrics: { enabled: false } })
    expect(running.stderr()).to.match(/metrics +none/)
  })

  it('stop the start where their port was named and is taken', async () => {
    const first = await start()
    const port = Number(/metrics +http:\/\/127\.0\.0\.1:([0-9]+)/.exec(first.stderr())?.[1])
    const second = await startBin('mandate-serve', { args: anywhere, file: { metrics: { port } } })
    expect(await second.exit()).to.equal(1)
    expect(second.stderr()).to.include('metrics.port').and.include('EADDRINUSE')
  })
})
