import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { describeError } from '../../http/describe-error.ts'
import { answerHeaders, type FunctionRequest, forward } from '../functions/forward.ts'
import { refusalOf } from '../functions/refusal.ts'
import { type FunctionKind, startFunction } from '../functions/start-function.ts'
import { keepUnparsed } from './unparsed.ts'

/** What Functions Framework calls, with what Express gives it. */
export type CloudFunction = (req: IncomingMessage, res: ServerResponse) => Promise<void>

/** Starts hub or reader, once for each cold start, and gives the function that takes their requests. */
export async function cloudFunction(kind: FunctionKind): Promise<CloudFunction> {
  const { port, logger } = await startFunction(kind)
  const targetOf = keepUnparsed(port)
  return async (req, res) => {
    try {
      const answer = await forward(port, requestOf(req, targetOf(req)))
      res.writeHead(answer.statusCode ?? 500, answerHeaders(answer).flat())
      await pipeline(answer, res)
    } catch (error) {
      logger.warn({ err: describeError(error) }, 'answered by the function itself')
      refuse(res, error)
    }
  }
}

function requestOf(req: IncomingMessage, target: string): FunctionRequest {
  const hasBody = req.rawHeaders.some(
    (name, i) => i % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name),
  )
  return {
    method: req.method ?? '',
    target,
    headers: req.rawHeaders,
    peer: peerOf(req),
    body: hasBody ? req : null,
  }
}

/** Google's front end adds the client that it sees to what the client itself may have said, at the end. */
function peerOf({ headers, socket }: IncomingMessage): string | null {
  const forwarded = headers['x-forwarded-for']
  const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim()
  return last === undefined || last === '' ? (socket.remoteAddress ?? null) : last
}

function refuse(res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    // An answer that has begun is cut off, so that it cannot look whole.
    res.destroy()
    return
  }
  const { status, headers, body } = refusalOf(error)
  res.writeHead(status, headers.flat()).end(body)
}
