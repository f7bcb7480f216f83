import { type Logger, pino } from 'pino'
import type { Env } from '../process/config/env.ts'
import { loadConfig } from '../process/config/load.ts'
import type { Config } from '../process/config/schema.ts'
import { type Running, startServers } from '../process/start.ts'
import { StartError } from '../process/start-error.ts'
import { asksForTraces } from '../process/watch/tracing-env.ts'

/** One server per function: a cloud scales writers and readers apart. */
export type FunctionKind = 'hub' | 'reader'

/** Where the server of a function listens. */
export const loopback = '127.0.0.1'

export interface FunctionServer {
  /** On {@link loopback}. */
  port: number
  logger: Logger
  /** Lets requests under way finish and closes the storage. */
  close(): Promise<void>
}

/**
 * Starts the very server that the process runs, within a function: once for each cold start, configured by environment
 * variables alone, and listening where nobody but the function reaches it. Requests get to it by {@link forward}.
 * @throws {ConfigError} or a StartError; the platform then tries a start anew
 */
export async function startFunction(kind: FunctionKind, env: Env = process.env): Promise<FunctionServer> {
  const { config, warnings } = loadConfig({ text: null, format: 'json', env, flags: new Map(), kind })
  if (kind === 'hub' && (env.GAIA_READ_URL ?? '') === '') {
    throw new StartError(
      'configuration',
      'GAIA_READ_URL must say where the reader is: a function cannot know',
    )
  }
  const logger = openFunctionLog(config.logLevel)
  for (const warning of warnings) logger.warn(warning)
  if (asksForTraces(env)) logger.warn('no traces: a function is stopped before they could be sent')
  const running = await startServers({ config: withinFunction(config), kind, logger })
  return { port: portOf(running), logger, close: () => running.close() }
}

/**
 * What a platform stands for: the door, TLS, the number of processes and the metrics. Whom a request comes from is what
 * {@link forward} says, and the address of every connection is its own.
 */
function withinFunction(config: Config): Config {
  const { hub, reader, limits } = config
  const place = { host: loopback, port: 0 }
  return {
    ...config,
    workers: 1,
    enableHttps: null,
    hub: { ...hub, ...place },
    reader: { ...reader, ...place },
    limits: { ...limits, maxSocketsPerPeer: 0, trustedProxies: [...limits.trustedProxies, loopback] },
  }
}

/** Each line is written at once: a function may be frozen as soon as it has answered. */
function openFunctionLog(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 1, sync: true }),
  )
}

function portOf({ hub, reader }: Running): number {
  const server = hub ?? reader
  if (server === null) throw new TypeError('neither hub nor reader was started')
  return server.port
}
