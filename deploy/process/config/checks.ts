import { isIP } from 'node:net'
import { presignChecks, presignWarnings } from './presign-checks.ts'
import type { Config, Kind } from './schema.ts'
import { storeChecks, storeWarnings } from './store-checks.ts'
import { tlsChecks, tlsWarnings } from './tls-checks.ts'
import { withSlash } from './values.ts'

/** A combination of keys that cannot work. */
export interface Check {
  /** The first is the one to tell of. */
  keys: readonly string[]
  /** Of the first key. */
  value: unknown
  problem: string
}

export interface Checks {
  impossible: Check[]
  warnings: string[]
}

/** What no key tells by itself. */
export function checkCombinations(config: Config, kind: Kind): Checks {
  const hub = kind === 'reader' ? [] : [hubUrlCheck(config)]
  const impossible = [
    ...hub,
    ...portChecks(config, kind),
    memoryCheck(config, kind),
    workersCheck(config),
    ...tlsChecks(config),
    ...storeChecks(config),
    ...presignChecks(config, kind),
  ]
  return {
    impossible: impossible.filter((check) => check !== null),
    warnings: [
      ...storeWarnings(config),
      ...tlsWarnings(config),
      ...presignWarnings(config, kind),
      ...(kind === 'reader' ? [] : hubWarnings(config, kind)),
    ],
  }
}

/** Without a host that clients can name, every token would be refused. */
function hubUrlCheck({ hub }: Config): Check | null {
  const name = hub.serverName.split(':')[0] ?? ''
  const named = name.includes('.') || name === 'localhost'
  if (!hub.requireCorrectHubUrl || named || hub.validHubUrls.length > 0) return null
  return {
    keys: ['hub.requireCorrectHubUrl', 'hub.serverName', 'hub.validHubUrls'],
    value: hub.requireCorrectHubUrl,
    problem: `needs the public host name of the hub as serverName (it is ${JSON.stringify(hub.serverName)}), or its addresses in validHubUrls`,
  }
}

function portChecks({ hub, reader, enableHttps }: Config, kind: Kind): (Check | null)[] {
  if (kind !== 'both') return []
  if (hub.host !== reader.host && !isWildcard(hub.host) && !isWildcard(reader.host)) return []
  const sameHttps = enableHttps !== null && hub.httpsPort === reader.httpsPort && hub.httpsPort !== 0
  return [
    hub.port !== reader.port || hub.port === 0
      ? null
      : {
          keys: ['reader.port', 'hub.port'],
          value: reader.port,
          problem: 'must be another port than that of the hub (flags --port and --reader-port)',
        },
    sameHttps
      ? {
          keys: ['reader.httpsPort', 'hub.httpsPort'],
          value: reader.httpsPort,
          problem: 'must be another port than that of the hub',
        }
      : null,
  ]
}

function workersCheck({ driver, workers }: Config): Check | null {
  if (driver !== 'memory' || workers === 1) return null
  return {
    keys: ['workers', 'driver'],
    value: workers,
    problem: 'the driver memory lies within one process, so each worker would have files of its own; set 1',
  }
}

function memoryCheck({ driver }: Config, kind: Kind): Check | null {
  if (driver !== 'memory' || kind === 'both') return null
  const other =
    kind === 'hub' ? 'no reader can see what the hub stores' : 'it can see nothing that a hub stores'
  return {
    keys: ['driver'],
    value: driver,
    problem: `memory lies within one process, so ${other}; run both together, or take another driver`,
  }
}

function hubWarnings({ hub }: Config, kind: Kind): string[] {
  const warnings: string[] = []
  if (kind === 'hub' && hub.readURL === null) {
    warnings.push('readURL is not set: clients are told to read at the port of a reader on this machine')
  }
  if (hub.whitelist?.length === 0) warnings.push('whitelist is empty: nobody can write')
  return warnings
}

/**
 * The read URL ends in a slash, since clients append to it, and is that of the local reader where none is set.
 * It stays `null` where the reader takes any free port.
 */
export function fillReadUrl(config: Config): Config {
  const { hub, reader } = config
  if (hub.readURL !== null) return { ...config, hub: { ...hub, readURL: withSlash(hub.readURL) } }
  const isTls = config.enableHttps !== null
  const port = isTls ? reader.httpsPort : reader.port
  if (port === 0) return config
  return { ...config, hub: { ...hub, readURL: localUrl(reader.host, port, isTls) } }
}

/** Where a server is reached from this machine. */
export function localUrl(host: string, port: number, isTls: boolean): string {
  const name = isWildcard(host) || isLoopback(host) ? 'localhost' : isIP(host) === 6 ? `[${host}]` : host
  return `${isTls ? 'https' : 'http'}://${name}:${port}/`
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1'
}
