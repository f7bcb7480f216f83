import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DriverError } from '../../../drivers/errors.ts'
import { type DriverObserver, observedDriver } from '../../../drivers/observed.ts'
import { type RequestEnd, reasonsToTurnAway } from '../../../http/instruments.ts'
import type { RunningServer, ServerLoad } from '../../../http/server.ts'
import { software } from '../../../http/software.ts'
import { type CacheName, cacheNames, type HubInstruments } from '../../../hub/instruments.ts'
import { credentialOutcomes } from '../../../hub/judged.ts'
import { boundedLabel } from './bounded-label.ts'
import { eventLoopLag } from './event-loop-lag.ts'
import type { ServerName, Watch } from './watch.ts'

export interface Metrics extends Watch {
  readonly registry: Registry
}

/** Seconds, from a small store in memory to a large upload by a slow client. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120]
const callBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

/** prom-client measures the lag of the event loop whether anybody wants it or not. */
const neverMs = 2 ** 31 - 1

/** Counts what a process does, for Prometheus. Beside these there are prom-client's own, of Node and the process. */
export function processMetrics(): Metrics {
  const registry = new Registry()
  const servers = new Map<ServerName, RunningServer>()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs })
  // Those begin anew whenever somebody asks, and of workers they tell the average.
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag_')) registry.removeSingleMetric(name)
  }
  const stopLag = eventLoopLag(registry)
  new Gauge({
    name: 'mandate_build_info',
    help: 'Version of this software; always 1',
    labelNames: ['version'],
    registers: [registry],
    aggregator: 'first',
  }).set({ version: software.version }, 1)
  const expiry = new Gauge({
    name: 'mandate_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate in force expires, in seconds since 1970; 0 without one',
    registers: [registry],
    aggregator: 'min',
  })
  loadGauges(registry, servers)
  const instrumentsOf = instruments(registry)
  const observe = driverObserver(registry)
  return {
    registry,
    instruments: instrumentsOf,
    driver: (driver) => observedDriver(driver, observe),
    listening: (server, running) => void servers.set(server, running),
    certificate: ({ expiresMs }) => {
      if (expiresMs !== null) expiry.set(expiresMs / 1000)
    },
    close: async () => stopLag(),
  }
}

/** Read when somebody asks, so that they cost nothing. */
function loadGauges(registry: Registry, servers: ReadonlyMap<ServerName, RunningServer>): void {
  const rows: [string, string, keyof ServerLoad][] = [
    ['mandate_http_sockets', 'Open connections', 'sockets'],
    ['mandate_http_requests_in_flight', 'Requests under way', 'requests'],
    ['mandate_http_requests_waiting', 'Requests under way that wait for their turn', 'waiting'],
  ]
  for (const [name, help, key] of rows) {
    new Gauge({
      name,
      help,
      labelNames: ['server'],
      registers: [registry],
      collect() {
        for (const [server, running] of servers) this.set({ server }, running.load()[key])
      },
    })
  }
}

function instruments(registry: Registry): (server: ServerName) => HubInstruments {
  const registers = [registry]
  const requests = new Counter({
    name: 'mandate_http_requests_total',
    help: 'Requests that were answered or cut off (499: the client left before an answer began)',
    labelNames: ['server', 'route', 'method', 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'mandate_http_request_duration_seconds',
    help: 'From the end of the head of a request to the end of its answer',
    labelNames: ['server', 'route'],
    buckets: requestBuckets,
    registers,
  })
  const received = new Counter({
    name: 'mandate_http_received_bytes_total',
    help: 'Bytes of the bodies of requests',
    labelNames: ['server', 'route'],
    registers,
  })
  const sent = new Counter({
    name: 'mandate_http_sent_bytes_total',
    help: 'Bytes of answers, heads and bodies',
    labelNames: ['server', 'route'],
    registers,
  })
  const turnedAway = new Counter({
    name: 'mandate_http_turned_away_total',
    help: 'Requests and connections turned away before their work began, by reason',
    labelNames: ['server', 'reason'],
    registers,
  })
  const credentials = new Counter({
    name: 'mandate_hub_credentials_total',
    help: 'Credentials by how they were judged: accepted, or the code of the refusal',
    labelNames: ['outcome'],
    registers,
  })
  const lookups = lookupCounts(registry)
  const routeLabel = boundedLabel(40)
  const outcomeLabel = boundedLabel(60)
  // What has not happened yet is 0 and not absent: rules compare with it, and a rate needs a value before the first.
  const beginAtZero = (server: ServerName) => {
    for (const reason of reasonsToTurnAway) turnedAway.inc({ server, reason }, 0)
    if (server === 'reader') return
    for (const outcome of credentialOutcomes) credentials.inc({ outcome: outcomeLabel(outcome) }, 0)
    lookups.beginAtZero()
  }
  return (server) => {
    beginAtZero(server)
    return {
      begin: (_req, _res, next) => next(),
      end(_res, { route: name = 'none', method, status, bytesIn, bytesOut, seconds }: RequestEnd) {
        const route = routeLabel(name)
        requests.inc({ server, route, method: methods.has(method) ? method : 'other', status })
        duration.observe({ server, route }, seconds)
        if (bytesIn > 0) received.inc({ server, route }, bytesIn)
        if (bytesOut > 0) sent.inc({ server, route }, bytesOut)
      },
      turnedAway: (reason) => turnedAway.inc({ server, reason }),
      credential: (outcome) => credentials.inc({ outcome: outcomeLabel(outcome) }),
      cache: lookups.count,
    }
  }
}

/** Told a dozen times for each request: counted in passing, and handed on when somebody asks. */
function lookupCounts(registry: Registry): { count: HubInstruments['cache']; beginAtZero: () => void } {
  const untold = new Map<CacheName, { hit: number; miss: number }>()
  new Counter({
    name: 'mandate_hub_cache_lookups_total',
    help: 'Look-ups in the memory of the hub: hit or miss',
    labelNames: ['cache', 'result'],
    registers: [registry],
    collect() {
      for (const [cache, { hit, miss }] of untold) {
        this.inc({ cache, result: 'hit' }, hit)
        this.inc({ cache, result: 'miss' }, miss)
      }
      untold.clear()
    },
  })
  return {
    count(cache, isHit) {
      const counts = untold.get(cache) ?? { hit: 0, miss: 0 }
      counts[isHit ? 'hit' : 'miss']++
      untold.set(cache, counts)
    },
    beginAtZero() {
      for (const cache of cacheNames) untold.set(cache, { hit: 0, miss: 0 })
    },
  }
}

function driverObserver(registry: Registry): DriverObserver {
  const registers = [registry]
  const calls = new Counter({
    name: 'mandate_driver_calls_total',
    help: 'Calls to the storage by outcome: ok, or the code of the error',
    labelNames: ['call', 'outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'mandate_driver_call_duration_seconds',
    help: 'Duration of calls to the storage; that of a write includes the arrival of its body',
    labelNames: ['call'],
    buckets: callBuckets,
    registers,
  })
  return async (call, run) => {
    const beganMs = performance.now()
    let outcome = 'ok'
    try {
      return await run()
    } catch (error) {
      // A body that failed is the client's doing, and no fault of the storage.
      outcome = error instanceof DriverError ? error.code : 'body'
      throw error
    } finally {
      calls.inc({ call, outcome })
      duration.observe({ call }, (performance.now() - beganMs) / 1000)
    }
  }
}
