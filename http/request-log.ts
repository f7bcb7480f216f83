import type { IncomingMessage } from 'node:http'
import type { RequestHandler, Response } from 'express'
import type { Level, Logger } from 'pino'
import type { HttpInstruments } from './instruments.ts'
import { beginContext, type RequestContext } from './request-context.ts'

/** One line of the log. Never a token, a query or a path. */
interface RequestLine extends RequestContext {
  method: string
  /** Of the answer; 499 where the client went away before one began. */
  status: number
  /** Bytes of the request's body that were taken in; not what was thrown away after a refusal. */
  bytes: number
  /** Bytes written to the client, head and body, as they stood on the wire. */
  sent: number
  /** From the end of the request's head to the end of the answer. */
  ms: number
  /** The connection ended before the answer did. */
  aborted?: true
}

/**
 * Writes one line when a request ends, however it ends, and names it: an `X-Request-Id` that is short and
 * harmless is kept, else one is made; the answer carries it.
 */
export function requestLog(logger: Logger, instruments: HttpInstruments): RequestHandler {
  return (req, res, next) => {
    const context = beginContext(req, res)
    res.setHeader('X-Request-Id', context.id)
    const startedMs = performance.now()
    const received = countBody(req)
    const sent = countSent(req, res)
    res.once('close', () => {
      const status = res.headersSent ? res.statusCode : 499
      const ms = performance.now() - startedMs
      const { method } = req
      const line: RequestLine = {
        ...context,
        method,
        status,
        bytes: received(),
        sent: sent.bytes(),
        ms: Math.round(ms * 10) / 10,
      }
      if (!sent.isWhole()) line.aborted = true
      logger[levelOf(status)](line, 'request')
      const { bytes: bytesIn, sent: bytesOut, route } = line
      instruments.end(res, { method, route, status, bytesIn, bytesOut, seconds: ms / 1000 })
    })
    instruments.begin(req, res, next)
  }
}

function levelOf(status: number): Level {
  // That this server cannot do what it was asked for (501) is no fault of it.
  if (status >= 500 && status !== 501) return 'error'
  return status >= 400 ? 'warn' : 'info'
}

/**
 * Counts at the one place through which Node's parser hands a body on. A `data` listener would start the flow
 * before the handler wants it, and a stream in between would cost every upload.
 */
function countBody(req: IncomingMessage): () => number {
  let bytes = 0
  const push = req.push.bind(req)
  req.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk !== null) bytes += chunk.length
    return push(chunk, encoding)
  }
  return () => bytes
}

/** The answers to pipelined requests wait for the socket, and have it one after the other. */
function countSent(req: IncomingMessage, res: Response): { bytes: () => number; isWhole: () => boolean } {
  const { socket } = req
  let before: number | null = null
  let whole: number | null = null
  const begin = () => {
    before = socket.bytesWritten
  }
  const bytes = () => (before === null ? 0 : socket.bytesWritten - before)
  if (res.socket === null) res.once('socket', begin)
  else begin()
  // Before Node's own listener, by which the next answer gets the socket and begins to write.
  res.prependOnceListener('finish', () => {
    whole = bytes()
  })
  return { bytes: () => whole ?? bytes(), isWhole: () => whole !== null }
}
