import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { allowedOrigin } from './cors.ts'
import { WireError, wire } from './errors.ts'
import type { HttpInstruments } from './instruments.ts'
import { hasLittleToCome, refuse } from './refuse.ts'
import { errorBody } from './render-error.ts'
import { securityHeaderSet } from './security-headers.ts'
import { jsonType } from './send-json.ts'

/** Seconds after which it is worth coming again. */
const retryAfterSeconds = 2

/** How often the log tells of refusals, in milliseconds: a line for each would be work on top of too much work. */
const logEveryMs = 5_000

/**
 * Answers 503 with `Retry-After` and CORS to a request that the app never sees. It has to cost next to nothing, since
 * it is for the moment when there is nothing to spare: all of the answer is made beforehand.
 */
export function refuseOverload(logger: Logger, instruments: HttpInstruments) {
  const refusal = new WireError('overloaded', 'the server has too much to do; try again in a while')
  const { status } = wire[refusal.code]
  const body = errorBody(refusal)
  const text = JSON.stringify(body)
  const headers = new Map([
    ...securityHeaderSet(),
    ['Access-Control-Allow-Origin', allowedOrigin],
    ['Access-Control-Expose-Headers', 'Retry-After'],
    ['Cache-Control', 'no-store'],
    ['Retry-After', String(retryAfterSeconds)],
  ])
  const length = String(Buffer.byteLength(text))
  const whole = [...headers, ['Content-Type', jsonType], ['Content-Length', length]].flat()
  const tell = sparingly(logger)
  return (req: IncomingMessage, res: ServerResponse) => {
    instruments.turnedAway('overload')
    tell()
    // Node itself throws away what is still to come of a body.
    if (hasLittleToCome(req)) res.writeHead(status, whole).end(text)
    else refuse(req, res.setHeaders(headers), status, body)
  }
}

function sparingly(logger: Logger): () => void {
  let refused = 0
  let toldMs = Number.NEGATIVE_INFINITY
  return () => {
    refused++
    const nowMs = performance.now()
    if (nowMs - toldMs < logEveryMs) return
    logger.warn({ refused }, 'too much to do: requests were turned away')
    toldMs = nowMs
    refused = 0
  }
}
