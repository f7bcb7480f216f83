import type { ServerResponse } from 'node:http'

/** PROTOCOL 1.2: exactly this; older clients compare it with `===`, and Express would add a charset. */
export const jsonType = 'application/json'

/** Answers with a JSON body. A `HEAD` gets the same headers and no body. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.end(startJson(res, status, body))
}

/**
 * Sets status and headers of a JSON answer and returns the text that must follow: as a text, since Node sends a
 * head and a short text in one piece, and bytes in two.
 */
export function startJson(res: ServerResponse, status: number, body: unknown): string {
  const text = JSON.stringify(body)
  res.statusCode = status
  res.setHeader('Content-Type', jsonType)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  return text
}
