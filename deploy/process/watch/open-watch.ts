import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Env } from '../config/env.ts'
import type { Config } from '../config/schema.ts'
import { asksForTraces, propagatorsOf } from './tracing-env.ts'
import { noWatch, type Watch, watchBoth } from './watch.ts'

export interface OpenWatch {
  watch: Watch
  /** Of the metrics; `null` where they are switched off. */
  registry: Registry | null
}

/**
 * Whoever is to watch this process: metrics by its configuration, traces by the standard variables of OpenTelemetry.
 * What is not switched on is not loaded either.
 * @throws {StartError} where those ask for what is not here
 */
export async function openWatch(config: Config, env: Env, logger: Logger): Promise<OpenWatch> {
  const tracing = asksForTraces(env) ? await tracingOf(env, logger) : noWatch
  if (!config.metrics.enabled) return { watch: tracing, registry: null }
  const { processMetrics } = await import('./metrics.ts')
  const metrics = processMetrics()
  const watch = tracing === noWatch ? metrics : watchBoth(tracing, metrics)
  return { watch, registry: metrics.registry }
}

async function tracingOf(env: Env, logger: Logger): Promise<Watch> {
  const propagators = propagatorsOf(env)
  const { openTracing } = await import('./tracing.ts')
  return openTracing(logger, propagators)
}
