import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { allowedOrigin } from './cors.ts'
import { WireError, wire } from './errors.ts'
import type { HttpInstruments } from './instruments.ts'
import { refuse } from './refuse.ts'
import { errorBody } from './render-error.ts'
import { securityHeaderSet } from './security-headers.ts'

/** Seconds after which it is worth coming again. */
const retryAfterSeconds = 2

/** How often the log tells of refusals, in milliseconds: a line for each would be work on top of too much work. */
const logEveryMs = 5_000

/** Answers 503 with `Retry-After` and CORS to a request that the app never sees. */
export function refuseOverload(logger: Logger, instruments: HttpInstruments) {
  const refusal = new WireError('overloaded', 'the server has too much to do; try again in a while')
  const { status } = wire[refusal.code]
  const body = errorBody(refusal)
  const headers = new Map([
    ...securityHeaderSet(),
    ['Access-Control-Allow-Origin', allowedOrigin],
    ['Access-Control-Expose-Headers', 'Retry-After'],
    ['Cache-Control', 'no-store'],
    ['Retry-After', String(retryAfterSeconds)],
  ])
  const tell = sparingly(logger)
  return (req: IncomingMessage, res: ServerResponse) => {
    instruments.turnedAway('overload')
    tell()
    res.setHeaders(headers)
    refuse(req, res, status, body)
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
