import type { z } from 'zod'
import { type Check, checkCombinations, fillReadUrl } from './checks.ts'
import { allowedText, nodeAt } from './describe.ts'
import { type Env, readEnv, readFlags } from './env.ts'
import { ConfigError, type Fault, faultText, type Origin, showValue } from './fault.ts'
import { mapGaia } from './gaia.ts'
import { type FileFormat, parseFile } from './parse-file.ts'
import { type Config, configSchema, type Kind } from './schema.ts'
import { buildTree, placeSettings, type Setting } from './setting.ts'
import { unknownKeyFault } from './unknown-key.ts'

export interface ConfigSources {
  /** The text of the configuration file; `null` without one. */
  text: string | null
  /** Of `text`. */
  format: FileFormat
  env: Env
  /** The text of each flag that was given, by its long name (`--data`). */
  flags: ReadonlyMap<string, string>
  /** Which servers will run: it decides whose `port` is and which combinations are impossible. */
  kind: Kind
}

export interface LoadedConfig {
  config: Config
  /** For people, one sentence each; no secret. */
  warnings: string[]
}

/**
 * Makes the configuration out of defaults, file, environment and flags, in rising order.
 * @throws {ConfigError} with every fault there is
 */
export function loadConfig({ text, format, env, flags, kind }: ConfigSources): LoadedConfig {
  const file = text === null ? [] : parseFile(text, format)
  const fromEnv = readEnv(env)
  // Each source is mapped and placed by itself: a section of the file must not beat a flag.
  const layers = [file, fromEnv.settings, readFlags(flags)].map(mapGaia)
  const settings = layers.flatMap((layer) => placeSettings(layer.settings, kind))
  const parsed = parseSettings(settings)
  const checked = checkCombinations(parsed.config, kind)
  const faults = [
    ...misplacedPort(file),
    ...layers.flatMap((layer) => layer.faults),
    ...fromEnv.faults,
    ...parsed.faults,
    ...combinationFaults(checked.impossible, parsed.faultyKeys, settings),
  ]
  if (faults.length > 0) throw new ConfigError(distinct(faults))
  const warnings = [...layers.flatMap((layer) => layer.warnings), ...fromEnv.warnings, ...checked.warnings]
  return { config: fillReadUrl(parsed.config), warnings }
}

/** One key at the top may stand in both sections, and be at fault in both. */
function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [faultText(fault), fault])).values()]
}

/** In a file with sections, a port at the top could be either's. */
function misplacedPort(file: readonly Setting[]): Fault[] {
  if (!file.some(({ path }) => path[0] === 'hub' || path[0] === 'reader')) return []
  const port = file.find(({ path }) => path[0] === 'port')
  if (port === undefined) return []
  const problem = 'belongs into the sections of a file that has them: hub.port, reader.port'
  return [{ key: 'port', value: showValue(['hub', 'port'], port.value), problem, origin: port.origin }]
}

interface ParsedSettings {
  /** Defaults stand where a setting is faulty. */
  config: Config
  faults: Fault[]
  faultyKeys: ReadonlySet<string>
}

function parseSettings(settings: readonly Setting[]): ParsedSettings {
  const tree = buildTree(settings)
  const result = configSchema.safeParse(tree)
  if (result.success) return { config: result.data, faults: [], faultyKeys: new Set() }
  const { issues } = result.error
  const faulty = issues.flatMap(pathsAtFault)
  const sound = settings.filter(({ path }) => !faulty.some((at) => at.every((step, i) => step === path[i])))
  return {
    // The rest again without what is at fault, so that impossible combinations within it are told as well.
    config: configSchema.parse(buildTree(sound)),
    faults: issues.flatMap((issue) => issueFaults(issue, tree, settings)),
    faultyKeys: new Set(faulty.map((path) => path.join('.'))),
  }
}

/** Without steps into a list: a list is set as a whole. */
function pathsAtFault(issue: z.core.$ZodIssue): string[][] {
  const inList = issue.path.findIndex((step) => typeof step === 'number')
  const path = (inList < 0 ? issue.path : issue.path.slice(0, inList)).map(String)
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
}

function issueFaults(issue: z.core.$ZodIssue, tree: unknown, settings: readonly Setting[]): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKeyFault([...issue.path, key].map(String), settings))
  }
  const allowed = issue.code === 'custom' ? issue.message : allowedText(nodeAt(issue.path))
  return [faultAt(issue.path, valueAt(tree, issue.path), `must be ${allowed}`, settings)]
}

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown>)[step], tree)
}

function faultAt(
  path: readonly PropertyKey[],
  value: unknown,
  problem: string,
  settings: readonly Setting[],
): Fault {
  const setting = settings.findLast((other) => other.path.every((step, i) => step === path[i]))
  const origin: Origin = setting?.origin ?? { source: 'default', name: '' }
  const rest = path.slice(setting?.path.length ?? 0).map(String)
  const key = origin.source === 'file' ? [origin.name, ...rest].join('.') : path.map(String).join('.')
  return { key, value: showValue(path, value), problem, origin }
}

/** A combination is judged only where each key in it is sound by itself. */
function combinationFaults(
  impossible: readonly Check[],
  faulty: ReadonlySet<string>,
  settings: readonly Setting[],
): Fault[] {
  return impossible
    .filter(({ keys }) => !keys.some((key) => faulty.has(key)))
    .map(({ keys: [key = ''], value, problem }) => faultAt(key.split('.'), value, problem, settings))
}
