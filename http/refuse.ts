import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { sendJson, startJson } from './send-json.ts'

/** How much of a refused body is taken in, and thrown away, so that its sender gets to read the answer. */
export interface DrainLimits {
  maxBytes: number
  maxMs: number
}

export const defaultDrainLimits: DrainLimits = { maxBytes: 64 * 1024 * 1024, maxMs: 5_000 }

/** A rest of this size is cheaper to take in than a new connection. */
const smallBodyBytes = 64 * 1024

/**
 * Answers with JSON though the body of the request may still be arriving.
 *
 * Closing a socket that holds unread bytes resets the connection, and a reset takes the answer away from a client
 * that has not read it yet (RFC 9112 section 9.6). So the answer goes out whole with `Connection: close`, and
 * what still comes in is thrown away within `limits` before the socket closes. A client that goes on beyond
 * `maxBytes` is no longer read from, and has the rest of `maxMs` to look at its answer.
 */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: unknown,
  limits: DrainLimits = defaultDrainLimits,
): void {
  const { socket } = res
  if (socket === null || !bodyIsArriving(req)) {
    sendJson(res, status, body)
  } else if (isSmall(req)) {
    drain(req, socket, limits, (ended) => {
      if (!ended) socket.destroy()
    })
    sendJson(res, status, body)
  } else {
    res.setHeader('Connection', 'close')
    // Complete for the client by its Content-Length, yet not ended: Node closes the socket when it is.
    res.write(startJson(res, status, body))
    drain(req, socket, limits, () => res.end())
  }
}

function bodyIsArriving(req: IncomingMessage): boolean {
  if (req.complete) return false
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

/** Whether the rest of the body is small enough to be taken in without a bound of its own. */
export function hasLittleToCome(req: IncomingMessage): boolean {
  return !bodyIsArriving(req) || isSmall(req)
}

function isSmall(req: IncomingMessage): boolean {
  return (
    req.headers.expect === undefined && Number(req.headers['content-length'] ?? Infinity) <= smallBodyBytes
  )
}

/**
 * Throws away what the parser still hands on; calls back once, with whether the body ended. It takes the place
 * of `push`, because by now the request's own stream may have been destroyed by whoever refused it, and a
 * destroyed stream leaves its socket paused for good.
 */
function drain(
  req: IncomingMessage,
  socket: Socket,
  limits: DrainLimits,
  done: (ended: boolean) => void,
): void {
  let bytes = 0
  const finish = (ended: boolean) => {
    clearTimeout(timer)
    socket.off('close', gone)
    done(ended)
  }
  const gone = () => finish(false)
  const timer = setTimeout(gone, limits.maxMs)
  socket.once('close', gone)
  req.push = (chunk: Buffer | null) => {
    if (chunk === null) finish(true)
    else bytes += chunk.length
    return bytes < limits.maxBytes
  }
  socket.resume()
}
