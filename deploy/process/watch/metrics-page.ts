import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { describeError } from '../../../http/describe-error.ts'
import { rawPath } from '../../../http/raw-path.ts'
import { type RunningServer, startServer } from '../../../http/server.ts'

export interface MetricsPageOptions {
  host: string
  /** 0 for one that is free. */
  port: number
  logger: Logger
  contentType: string
  /** The text of the page. */
  render: () => Promise<string>
}

/** Serves `GET /metrics` at a port of its own. @throws when the address cannot be listened on */
export function startMetricsPage(options: MetricsPageOptions): Promise<RunningServer> {
  const { host, port, logger } = options
  const app = (req: IncomingMessage, res: ServerResponse) => void answer(options, req, res)
  return startServer({ app, host, port, logger, graceMs: 1_000 })
}

async function answer(
  { contentType, render, logger }: MetricsPageOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  // Prometheus adds a query where its job has `params`.
  if (rawPath(req.url ?? '') !== '/metrics') return end(res, 404, 'the metrics are at /metrics\n')
  if (req.method !== 'GET' && req.method !== 'HEAD') return end(res, 405, 'the metrics are for GET\n')
  try {
    const text = await render()
    res.setHeader('Content-Type', contentType)
    end(res, 200, text)
  } catch (error) {
    logger.error({ err: describeError(error) }, 'the metrics could not be collected')
    end(res, 503, 'the metrics could not be collected; the log says why\n')
  }
}

function end(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status
  if (!res.hasHeader('Content-Type')) res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.end(text)
}
