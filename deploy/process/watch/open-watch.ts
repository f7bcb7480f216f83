import type { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import { noWatch, type Watch } from './watch.ts'

export interface OpenWatch {
  watch: Watch
  /** Of the metrics; `null` where they are switched off. */
  registry: Registry | null
}

/** Whoever is to watch this process by its configuration. What is not switched on is not loaded either. */
export async function openWatch(config: Config): Promise<OpenWatch> {
  if (!config.metrics.enabled) return { watch: noWatch, registry: null }
  const { processMetrics } = await import('./metrics.ts')
  const metrics = processMetrics()
  return { watch: metrics, registry: metrics.registry }
}
