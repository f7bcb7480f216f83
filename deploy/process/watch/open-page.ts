import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import type { RunningServer } from '../../../http/server.ts'
import type { Config } from '../config/schema.ts'
import { StartError } from '../start-error.ts'
import { startMetricsPage } from './metrics-page.ts'

/** Where the metrics are while nobody says otherwise: the port that is usual for exporters of OpenTelemetry. */
const usualPort = 9464

/**
 * Serves the metrics where the configuration says. The usual port is not insisted on, since several processes may run
 * on one machine: where it is taken there are no metrics, and a warning. `null` where there are none.
 * @throws {StartError} where a port that was named cannot be listened on
 */
export async function openMetricsPage(
  { metrics: { host, port } }: Config,
  render: () => Promise<string>,
  logger: Logger,
): Promise<RunningServer | null> {
  const contentType = Registry.PROMETHEUS_CONTENT_TYPE
  try {
    return await startMetricsPage({ host, port: port ?? usualPort, render, contentType, logger })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (port !== null || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw new StartError(
        'start',
        `the metrics cannot be served (metrics.host, metrics.port): ${reason}`,
        error,
      )
    }
    logger.warn({ port: usualPort }, 'no metrics: their usual port is taken; metrics.port names another one')
    return null
  }
}
