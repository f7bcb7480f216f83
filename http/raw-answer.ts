import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { allowedOrigin } from './cors.ts'
import { type WireError, wire } from './errors.ts'
import { errorBody } from './render-error.ts'
import { securityHeaderSet } from './security-headers.ts'
import { jsonType } from './send-json.ts'

/** How long, and for how many bytes, a client may go on sending after its request was refused by hand. */
const lingerMs = 2_000
const lingerBytes = 1024 * 1024

/**
 * Answers on a socket whose request never reached the app, then closes it. It goes on reading for a while, since
 * closing with unread bytes would reset the connection and take the answer away.
 */
export function answerByHand(socket: Socket, refusal: WireError): void {
  socket.end(rawAnswer(refusal))
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > lingerBytes) socket.destroy()
  })
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
}

/** The whole answer, head and body, with the CORS and security headers of every other answer. */
export function rawAnswer(refusal: WireError): string {
  const { status } = wire[refusal.code]
  const body = JSON.stringify(errorBody(refusal))
  const headers = [
    ['Access-Control-Allow-Origin', allowedOrigin],
    ...securityHeaderSet(),
    ['Cache-Control', 'no-store'],
    ['Content-Type', jsonType],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Connection', 'close'],
  ]
  if (refusal.retryAfterSeconds !== undefined) {
    headers.push(['Retry-After', String(refusal.retryAfterSeconds)])
    headers.push(['Access-Control-Expose-Headers', 'Retry-After'])
  }
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`
}
