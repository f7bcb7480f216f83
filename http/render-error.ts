import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Logger } from 'pino'
import type { ErrorBody } from '../client/protocol/errors.ts'
import { DriverError, type DriverErrorCode } from '../drivers/errors.ts'
import { KeyError } from '../drivers/key.ts'
import { describeError } from './describe-error.ts'
import { type ErrorCode, WireError, wire } from './errors.ts'
import { quoteEtag } from './etag.ts'
import { type DrainLimits, refuse } from './refuse.ts'
import { contextOf } from './request-context.ts'

/** What a fault of the storage is to a client. */
const driverCodes = {
  invalid_key: 'bad_path',
  not_found: 'not_found',
  precondition_failed: 'precondition_failed',
  invalid_cursor: 'invalid_input',
  busy: 'conflict',
  range_not_satisfiable: 'range_not_satisfiable',
  unavailable: 'unavailable',
  backend: 'bad_gateway',
} as const satisfies Record<DriverErrorCode, ErrorCode>

/** Seconds for `Retry-After`: PROTOCOL 1.6 wants one on every storage fault. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = { unavailable: 5, bad_gateway: 30 }

/**
 * What Express's body parsers refuse, by the `type` that they give it. Their own messages quote the body, which
 * may hold a token, so they are not passed on.
 */
const parserRefusals = new Map<string, [ErrorCode, string]>([
  ['entity.parse.failed', ['invalid_input', 'the body is not valid JSON']],
  ['entity.too.large', ['payload_too_large', 'the body is too large for this request']],
  ['encoding.unsupported', ['invalid_input', 'the Content-Encoding of the body is not supported']],
  ['charset.unsupported', ['invalid_input', 'the charset of the body is not supported']],
  ['request.size.invalid', ['invalid_input', 'the body is shorter than its Content-Length']],
  ['request.aborted', ['invalid_input', 'the body ended early']],
])

/** Headers of an answer that was being prepared when it failed. */
const headersOfContent = ['ETag', 'Last-Modified', 'Accept-Ranges', 'Content-Encoding', 'Content-Disposition']

/** Codes of the errors that a stream gives when its other end goes away. */
const disconnections = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

/**
 * The only renderer of errors. Whatever is not a refusal that it knows is a 500 that tells nothing, and is logged
 * with its stack. An answer that has already begun is cut off, so that it cannot look whole.
 */
export function renderErrors(logger: Logger, drainLimits?: DrainLimits): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    const refusal = toWireError(error)
    if (res.headersSent || res.destroyed) {
      logLate(logger, error, res)
      res.destroy()
      return
    }
    if (refusal === null || isFault(refusal)) {
      logger.error({ id: contextOf(res)?.id, err: describeError(error) }, 'request failed')
    }
    render(req, res, refusal, drainLimits)
  }
}

/** What an operator should hear of; that something cannot be done here is none. */
function isFault({ code }: WireError): boolean {
  return wire[code].status >= 500 && code !== 'not_supported'
}

/** The refusal that an error is, or `null` for one that nobody foresaw. */
export function toWireError(error: unknown): WireError | null {
  if (error instanceof WireError) return error
  if (error instanceof KeyError) return new WireError('bad_path', error.message, { cause: error })
  if (error instanceof DriverError) return fromDriver(error)
  return fromExpress(error)
}

function fromDriver(error: DriverError): WireError {
  const { code, message, etag, size } = error
  const details: Record<string, unknown> = {}
  if (code === 'precondition_failed' && etag !== undefined) details.etag = quoteEtag(etag)
  if (code === 'range_not_satisfiable' && size !== undefined) details.size = size
  return new WireError(driverCodes[code], message, { cause: error, details })
}

function fromExpress(error: unknown): WireError | null {
  if (!(error instanceof Error)) return null
  const { type, status } = error as { type?: unknown; status?: unknown }
  const row = typeof type === 'string' ? parserRefusals.get(type) : undefined
  if (row !== undefined) return new WireError(row[0], row[1], { cause: error })
  // Express marks an escape in a route parameter that does not decode.
  if (error instanceof URIError && status === 400) {
    return new WireError('invalid_input', 'the path has a malformed percent-escape', { cause: error })
  }
  return null
}

function render(req: Request, res: Response, refusal: WireError | null, limits?: DrainLimits): void {
  for (const name of headersOfContent) res.removeHeader(name)
  // A 404 that a cache keeps would hide the file that is stored next.
  res.setHeader('Cache-Control', 'no-store')
  if (refusal === null) {
    refuse(req, res, wire.server_error.status, { message: 'Server Error' } satisfies ErrorBody, limits)
    return
  }
  const { status } = wire[refusal.code]
  const retryAfter = refusal.retryAfterSeconds ?? retryAfterSeconds[refusal.code]
  if (retryAfter !== undefined) {
    res.setHeader('Retry-After', retryAfter)
    res.appendHeader('Access-Control-Expose-Headers', 'Retry-After')
  }
  const { size } = refusal.details
  if (status === 416 && typeof size === 'number') res.setHeader('Content-Range', `bytes */${size}`)
  refuse(req, res, status, errorBody(refusal), limits)
}

/** The body of a refusal. */
export function errorBody({ code, message, details }: WireError): ErrorBody {
  const { error } = wire[code]
  return error === null ? { message: 'Server Error' } : { message, error, ...details }
}

/** An error after the answer has begun, or after the client has gone: the latter is no news. */
function logLate(logger: Logger, error: unknown, res: Response): void {
  const { code, type } = (error ?? {}) as { code?: unknown; type?: unknown }
  const gone = type === 'request.aborted' || (typeof code === 'string' && disconnections.has(code))
  const line = { id: contextOf(res)?.id, err: describeError(error) }
  if (gone) logger.debug(line, 'client went away')
  else logger.error(line, 'answer cut off')
}
