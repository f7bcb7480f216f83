import { resolve } from 'node:path'
import { software } from '../../http/software.ts'
import { isLoopback, isWildcard, localUrl } from './config/checks.ts'
import type { Config } from './config/schema.ts'
import { isBuiltDriver } from './config/values.ts'
import { storePlace, storeText } from './store-text.ts'
import type { Listening } from './workers/messages.ts'

export interface SummaryInput {
  config: Config
  running: Listening
  /** The file that was read; `null` without one. */
  file: string | null
  /** Of the server of metrics; `null` without one. */
  metricsUrl: string | null
  /** Processes that serve. */
  workers?: number
}

/** What an operator wants to know at the start: one line for each thing. */
export function summary({ config, running, file, metricsUrl, workers = 1 }: SummaryInput): string {
  const rows = [
    ...(running.hub === null ? [] : hubRows(config, running.hub.port)),
    ...readRows(config, running),
    ['storage', storage(config)],
    ...(running.hub === null || running.atomicDeletes ? [] : [['caution', twoStepDeletes]]),
    ...(running.hub === null ? [] : [['writers', writers(config)]]),
    ['limits', limits(config, running)],
    ['metrics', metricsUrl === null ? 'none' : `${metricsUrl}/metrics`],
    ...(workers === 1 ? [] : [['workers', `${workers} processes; the limits are those of each`]]),
    [
      'settings',
      file === null ? 'defaults, environment and flags; no file' : `${file}, environment and flags`,
    ],
    ['stop', `Ctrl-C or SIGTERM; requests under way get ${config.timeouts.graceTimeout} s to finish`],
  ]
  const lines = rows.map(([name = '', text = '']) => `  ${name.padEnd(9)} ${text}`)
  return `mandate ${software.version}, ${what(running)}\n\n${lines.join('\n')}\n\n`
}

const twoStepDeletes =
  'this storage takes two steps to delete with If-Match: a store without a condition that another hub makes between them is lost'

function what({ hub, reader }: Listening): string {
  if (hub !== null && reader !== null) return 'hub and reader'
  return hub === null ? 'reader' : 'hub'
}

function hubRows({ hub, enableHttps }: Config, port: number): string[][] {
  const url = localUrl(hub.host, port, enableHttps !== null)
  return [['write at', `${url} (${reach(hub.host)}; server name ${hub.serverName})`]]
}

/** A hub alone tells where clients will read; a reader, where it listens. */
function readRows({ reader, enableHttps }: Config, running: Listening): string[][] {
  if (running.reader === null)
    return [['read at', `${running.readUrlPrefix} (a reader that is not this process)`]]
  const local = localUrl(reader.host, running.reader.port, enableHttps !== null)
  const told =
    running.hub === null || running.readUrlPrefix === local ? '' : `; clients: ${running.readUrlPrefix}`
  return [['read at', `${local} (${reach(reader.host)}${told})`]]
}

function reach(host: string): string {
  if (isWildcard(host)) return 'all network addresses'
  return isLoopback(host) ? 'this machine only' : host
}

function storage(config: Config): string {
  const { driver, diskSettings } = config
  if (driver === 'memory') return 'memory: everything is gone when this process ends'
  if (driver !== 'disk') return storeSummary(config)
  const promise =
    diskSettings.durability === 'fsync'
      ? 'a write survives a power cut'
      : 'a write may not survive a power cut'
  return `disk, ${resolve(diskSettings.storageRootDirectory)} (${diskSettings.durability}: ${promise})`
}

function storeSummary(config: Config): string {
  const place = storePlace(config)
  const unsafe = config.allowUnsafeConditions
    ? ' (allowUnsafeConditions: writers at one time may lose updates where the storage ignores conditions)'
    : ''
  const name = isBuiltDriver(config.driver) ? `${config.driver}, ` : ''
  return `${name}${storeText(config)}${place === null ? '' : ` at ${place}`}${unsafe}`
}

function writers({ hub }: Config): string {
  if (hub.whitelist === null)
    return 'open: anyone may write, each at the own address (close it with whitelist)'
  const count = hub.whitelist.length
  return `whitelist of ${count} ${count === 1 ? 'address' : 'addresses'}`
}

function limits({ hub, limits }: Config, running: Listening): string {
  const sockets = limits.maxSocketsPerPeer === 0 ? 'any number of' : limits.maxSocketsPerPeer
  const connections = `${sockets} connections from one address`
  return running.hub === null ? connections : `${hub.maxFileUploadSize} MB a file, ${connections}`
}
