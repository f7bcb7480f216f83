import type { Registry } from 'prom-client'
import type { Config, Kind } from '../config/schema.ts'
import type { StartError } from '../start-error.ts'

/** What prom-client makes of a registry for another process. */
export type WorkerMetrics = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** What the primary tells a worker. Its configuration comes this way and not by the environment: it holds secrets. */
export type ToWorker =
  | {
      readonly type: 'start'
      readonly config: Config
      readonly kind: Kind
      readonly folder: string
      readonly number: number
    }
  | { readonly type: 'stop' }
  | { readonly type: 'tell-metrics' }

/** What a worker tells the primary. */
export type FromWorker =
  /** It listens to messages; those sent before that are lost. */
  | { readonly type: 'loaded' }
  | { readonly type: 'ready'; readonly listening: Listening }
  | { readonly type: 'metrics'; readonly metrics: WorkerMetrics }
  | { readonly type: 'failed'; readonly kind: StartError['kind']; readonly message: string }

/** Where the servers of a worker, and so those of all, listen. */
export interface Listening {
  hub: { url: string; port: number } | null
  reader: { url: string; port: number } | null
  readUrlPrefix: string
  atomicDeletes: boolean
}
