import { type Logger, pino } from 'pino'
import type { Config, Kind } from './config/schema.ts'
import { type Running, startServers } from './start.ts'
import { summary } from './summary.ts'

export interface ServeOptions {
  config: Config
  kind: Kind
  /** The configuration file that was read. */
  file: string | null
}

/**
 * Starts, prints the summary on standard error and goes on until a signal; the log is on standard output.
 * @throws {StartError} and leaves nothing running
 */
export async function serve({ config, kind, file }: ServeOptions): Promise<void> {
  const logger = pino({ level: config.logLevel, timestamp: pino.stdTimeFunctions.isoTime })
  const running = await startServers(config, kind, logger)
  endWith(running, logger)
  logger.info({ hub: running.hub?.url, reader: running.reader?.url }, 'listening')
  process.stderr.write(summary({ config, running, file }))
}

/** SIGTERM and SIGINT stop in order; a second one, at once. An error that nothing caught stops with status 1. */
function endWith(running: Running, logger: Logger): void {
  let stopping = false
  const stop = (why: string, status: number) => {
    if (stopping) process.exit(1)
    stopping = true
    logger.info({ why }, 'stopping')
    running.close().then(
      () => process.exit(status),
      (error: unknown) => {
        logger.fatal({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event)
      stop(event, 1)
    })
  }
}
