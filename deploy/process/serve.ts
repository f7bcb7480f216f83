import { dirname } from 'node:path'
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
  const logger = openLog(config.logLevel)
  const folder = file === null ? process.cwd() : dirname(file)
  const running = await startServers(config, kind, logger, folder)
  endWith(running, logger)
  logger.info({ hub: running.hub?.url, reader: running.reader?.url }, 'listening')
  process.stderr.write(summary({ config, running, file }))
}

/** How long a line may wait for others before it is written, in milliseconds. */
const logDelayMs = 200

/** Lines go out together: a call to the system for each would cost a busy hub as much as its checks of tokens. */
function openLog(level: string): Logger {
  const destination = pino.destination({ dest: 1, sync: true, minLength: 4096, periodicFlush: logDelayMs })
  process.on('exit', () => destination.flushSync())
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
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
