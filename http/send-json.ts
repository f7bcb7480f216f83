import type { ServerResponse } from 'node:http'

/** PROTOCOL 1.2: exactly this; older clients compare it with `===`, and Express would add a charset. */
export const jsonType = 'application/json'

/** Answers with a JSON body. A `HEAD` gets the same headers and no body. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.end(startJson(res, status, body))
}

/** Sets status and headers of a JSON answer and returns the bytes that must follow. */
export function startJson(res: ServerResponse, status: number, body: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(body))
  res.statusCode = status
  res.setHeader('Content-Type', jsonType)
  res.setHeader('Content-Length', bytes.length)
  return bytes
}
