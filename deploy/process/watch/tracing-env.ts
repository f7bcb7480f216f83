import type { Env } from '../config/env.ts'
import { StartError } from '../start-error.ts'

const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const
const protocols = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const

/** The only way in which traces are sent here. */
const protocol = 'http/protobuf'

/**
 * Whether the standard variables of OpenTelemetry ask for traces: `OTEL_TRACES_EXPORTER=otlp`, or an endpoint. What else
 * they say (where to, headers, service name, sampling, batches) is read by OpenTelemetry itself.
 * @throws {StartError} for an exporter or a protocol that is not here: somebody waits for traces that would never come
 */
export function asksForTraces(env: Env): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false
  const exporter = env.OTEL_TRACES_EXPORTER || undefined
  const hasEndpoint = endpoints.some((name) => (env[name] ?? '') !== '')
  if (exporter === 'none' || (exporter === undefined && !hasEndpoint)) return false
  if (exporter !== undefined && exporter !== 'otlp') {
    throw unsupported('OTEL_TRACES_EXPORTER', exporter, '"otlp" or "none"')
  }
  const name = protocols.find((candidate) => (env[candidate] ?? '') !== '')
  const asked = name === undefined ? protocol : env[name]
  if (name !== undefined && asked !== protocol) throw unsupported(name, asked, `"${protocol}"`)
  return true
}

export type PropagatorName = 'tracecontext' | 'baggage'

const propagatorNames: readonly string[] = ['tracecontext', 'baggage'] satisfies PropagatorName[]

/**
 * How a trace goes from one process to the next: `OTEL_PROPAGATORS`, both ways where it is not set.
 * @throws {StartError} for a way that is not here: traces would fall apart
 */
export function propagatorsOf(env: Env): ReadonlySet<PropagatorName> {
  const asked = env.OTEL_PROPAGATORS || propagatorNames.join(',')
  if (asked === 'none') return new Set()
  const names = asked.split(',').map((name) => name.trim())
  if (!names.every((name) => propagatorNames.includes(name))) {
    throw unsupported('OTEL_PROPAGATORS', asked, 'a list of "tracecontext" and "baggage", or "none"')
  }
  return new Set(names as PropagatorName[])
}

function unsupported(name: string, value: string | undefined, allowed: string): StartError {
  return new StartError(
    'configuration',
    `the environment variable ${name} is ${JSON.stringify(value)}; it must be ${allowed}`,
  )
}
