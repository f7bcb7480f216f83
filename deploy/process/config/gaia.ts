import { type Fault, showValue } from './fault.ts'
import type { Setting } from './setting.ts'

/**
 * What Gaia's own files and variables hold, in Mandate's terms: other names for the same thing, and keys that
 * Mandate lacks. Works on settings as they were read, before they are placed.
 */
export interface GaiaMapping {
  settings: Setting[]
  warnings: string[]
  faults: Fault[]
}

/** Gaia's names for drivers. */
const driverAliases: Record<string, string> = { aws: 's3', 'google-cloud': 'gcs' }

/** The log levels of winston, which Gaia's files name, that have another name here. */
const levelAliases: Record<string, string> = { http: 'info', verbose: 'debug', silly: 'trace' }

/** Keys of Gaia's that do nothing here, with what to do instead. */
const lacking: Record<string, string> = {
  acmeConfig: 'put a proxy that fetches certificates in front: Caddy does so by itself',
  argsTransport: 'the log is JSON on standard output; only its level can be set',
  regtest: 'there is one kind of address here',
  testnet: 'there is one kind of address here',
}

export function mapGaia(settings: readonly Setting[]): GaiaMapping {
  const mapping: GaiaMapping = { settings: [], warnings: [], faults: [] }
  const lacked = new Map<string, Set<string>>()
  for (const setting of settings) {
    const [key = '', ...below] = withoutSection(setting.path)
    if (key === 'enableHttps') mapHttps(mapping, setting)
    else if (key === 'tlsCertConfig') mapping.settings.push({ ...setting, path: [key, ...below] })
    else if (key === 'argsTransport' && below[0] === 'level') mapping.settings.unshift(logLevel(setting))
    else if (Object.hasOwn(lacking, key)) noteLacking(lacked, key, setting)
    else if (key === 'servername') mapServerName(mapping, setting, settings)
    else if (key === 'driver') mapping.settings.push(alias(setting, driverAliases))
    else mapping.settings.push(setting)
  }
  for (const [advice, names] of lacked) {
    mapping.warnings.push(`not used: ${[...names].join(', ')} (${advice})`)
  }
  return mapping
}

function withoutSection(path: readonly string[]): readonly string[] {
  return path[0] === 'hub' || path[0] === 'reader' ? path.slice(1) : path
}

/** A hub that was asked for TLS must not start without it. In Gaia's terms it is off where it is `false`. */
function mapHttps(mapping: GaiaMapping, setting: Setting): void {
  const { value, origin } = setting
  if (value === false || value === 'false' || value === '0') return
  if (value !== 'acme') {
    mapping.settings.push({ ...setting, path: ['enableHttps'] })
    return
  }
  const problem =
    'Mandate fetches no certificates; put Caddy in front, which does so by itself (docs/operations.md), and remove this key, or name the files of a certificate in tlsCertConfig and set "cert_files"'
  mapping.faults.push({ key: 'enableHttps', value: showValue(['enableHttps'], value), problem, origin })
}

function noteLacking(lacked: Map<string, Set<string>>, key: string, { origin }: Setting): void {
  const advice = lacking[key] ?? ''
  const names = lacked.get(advice) ?? new Set()
  names.add(origin.source === 'file' && key !== 'argsTransport' ? key : origin.name)
  lacked.set(advice, names)
}

/** Clients sign the name, so of two it must not be a matter of spelling which one is meant. */
function mapServerName(mapping: GaiaMapping, setting: Setting, all: readonly Setting[]): void {
  const { path, value, origin } = setting
  const other = all.find((one) => withoutSection(one.path)[0] === 'serverName' && one.value !== value)
  if (other !== undefined) {
    const problem = `is another name for ${other.origin.name}, which says something else; remove one of them`
    mapping.faults.push({ key: origin.name, value: showValue(path, value), problem, origin })
  }
  mapping.settings.push({ ...setting, path: [...path.slice(0, -1), 'serverName'] })
}

/** `argsTransport.level` gives way to a `logLevel` beside it: it goes first. */
function logLevel(setting: Setting): Setting {
  return alias({ ...setting, path: ['logLevel'] }, levelAliases)
}

function alias(setting: Setting, aliases: Record<string, string>): Setting {
  const { value } = setting
  if (typeof value !== 'string' || !Object.hasOwn(aliases, value)) return setting
  return { ...setting, value: aliases[value] }
}
