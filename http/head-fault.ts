import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { allowedOrigin } from './cors.ts'
import { WireError, wire } from './errors.ts'
import type { HttpInstruments } from './instruments.ts'
import { refuse } from './refuse.ts'
import { errorBody } from './render-error.ts'
import { securityHeaderSet } from './security-headers.ts'

/**
 * What no request may have in its head, though Node's parser takes it; `null` where there is nothing of that kind.
 * RFC 9112 section 3.2 asks HTTP/1.1 for a Host; RFC 9110 section 10.1.1 knows one expectation.
 */
export function headFault({ httpVersion, headers }: IncomingMessage): WireError | null {
  if (httpVersion !== '1.1') return null
  if (headers.host === undefined) return new WireError('invalid_input', 'a request must have a Host header')
  if (headers.expect === undefined || /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect)) return null
  return new WireError('invalid_input', 'the Expect header must be 100-continue')
}

/** Answers a request that the app never sees with the headers of every other answer, and closes the connection. */
export function refuseHead(logger: Logger, instruments: HttpInstruments) {
  const headers = new Map([
    ...securityHeaderSet(),
    ['Access-Control-Allow-Origin', allowedOrigin],
    ['Cache-Control', 'no-store'],
    ['Connection', 'close'],
  ])
  return (req: IncomingMessage, res: ServerResponse, refusal: WireError) => {
    instruments.turnedAway('malformed')
    logger.warn({ refusal: refusal.code }, 'request refused')
    refuse(req, res.setHeaders(headers), wire[refusal.code].status, errorBody(refusal))
  }
}
