import express, { type Express, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import { type CorsOptions, cors } from './cors.ts'
import { WireError } from './errors.ts'
import { health } from './health.ts'
import { type HttpInstruments, noHttpInstruments } from './instruments.ts'
import { limitPeers, type PeerLimit } from './peer-limit.ts'
import type { DrainLimits } from './refuse.ts'
import { renderErrors } from './render-error.ts'
import { requestLog } from './request-log.ts'
import { type SecurityHeadersOptions, securityHeaders } from './security-headers.ts'

export interface BaseAppOptions extends CorsOptions, SecurityHeadersOptions {
  logger: Logger
  /** Resolves when the server can do its work; for `/readyz`. */
  check: () => Promise<void>
  drainLimits?: DrainLimits
  instruments?: HttpInstruments
  /** How many requests one peer may make; health probes and preflights are not counted. No limit without it. */
  peerLimit?: PeerLimit
}

/**
 * An Express app with all that our servers do alike, around the routes that `mount` adds. Nothing that comes
 * before {@link cors} answers a request, so every answer is logged, safe for browsers and readable by any origin.
 */
export function baseApp(options: BaseAppOptions, mount: (app: Express) => void): Express {
  const { logger, instruments = noHttpInstruments } = options
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.use(inTurn(requestLog(logger, instruments), inTurn(securityHeaders(options), cors(options))))
  app.use(health(options))
  if (options.peerLimit !== undefined) app.use(limitPeers(options.peerLimit, instruments))
  mount(app)
  app.use(() => {
    throw new WireError('not_found', 'there is nothing at this address')
  })
  app.use(renderErrors(logger, options.drainLimits))
  return app
}

/** Two handlers as one: each that Express itself has to step through costs every request. */
function inTurn(first: RequestHandler, second: RequestHandler): RequestHandler {
  return (req, res, next) =>
    first(req, res, (error?: unknown) => (error === undefined ? second(req, res, next) : next(error)))
}
