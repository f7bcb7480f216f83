import { allowedOrigin } from '../../http/cors.ts'
import { WireError, wire } from '../../http/errors.ts'
import { errorBody } from '../../http/render-error.ts'
import { securityHeaderSet } from '../../http/security-headers.ts'
import { jsonType } from '../../http/send-json.ts'

/** An answer that a function gives by itself, since its server was not asked. */
export interface Refusal {
  status: number
  headers: [name: string, value: string][]
  body: string
}

/** What is no refusal that is known is a 500 that tells nothing, as everywhere. */
export function refusalOf(error: unknown): Refusal {
  const known = error instanceof WireError ? error : new WireError('server_error', 'Server Error')
  return {
    status: wire[known.code].status,
    headers: [
      ['Access-Control-Allow-Origin', allowedOrigin],
      ...securityHeaderSet(),
      ['Cache-Control', 'no-store'],
      ['Content-Type', jsonType],
      ...(known.code === 'unavailable' ? [['Retry-After', '5'] as [string, string]] : []),
    ],
    body: JSON.stringify(errorBody(known)),
  }
}
