import type { Logger } from 'pino'

/** Something that can be stopped in order. */
export interface Closable {
  close(): Promise<void>
}

export interface Ending {
  /** Stops in order and ends the process; called again, at once with status 1. */
  stop: (why: string, status: number) => void
}

/** How this process ends: in order by `stop`; an error that nothing caught stops it with status 1. */
export function endWith(running: Closable, logger: Logger): Ending {
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
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event)
      stop(event, 1)
    })
  }
  return { stop }
}

/** SIGTERM and SIGINT stop in order; a second one, at once. */
export function endAtSignals({ stop }: Ending): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0))
}
