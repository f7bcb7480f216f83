import { type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface Ask {
  headers?: Record<string, string>
  /** Sent with its length; a list of pieces is sent in chunks, without one. */
  body?: Uint8Array | string | readonly Uint8Array[]
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  json(): Record<string, unknown>
}

/** One request, over a connection of its own; the target goes out as it stands, which `fetch` would not do. */
export function ask(
  server: string,
  method: string,
  target: string,
  { headers = {}, body }: Ask = {},
): Promise<Answer> {
  const { hostname, port } = new URL(server)
  return new Promise((resolve, reject) => {
    const sent = request({
      hostname,
      port,
      method,
      path: target,
      headers: { ...headers, ...lengthOf(body) },
      agent: false,
    })
    let answered = false
    sent.on('response', (response) => {
      answered = true
      const { statusCode: status = 0, headers: told } = response
      const json = (bytes: Buffer) => () => JSON.parse(bytes.toString()) as Record<string, unknown>
      buffer(response).then(
        (bytes) => resolve({ status, headers: told, body: bytes, json: json(bytes) }),
        reject,
      )
    })
    // A server may answer, and close, before it has taken all of a body that it refuses.
    sent.on('error', (error) => (answered ? undefined : reject(error)))
    if (Array.isArray(body)) for (const piece of body) sent.write(piece)
    sent.end(Array.isArray(body) ? undefined : body)
  })
}

function lengthOf(body: Ask['body']): Record<string, string> {
  if (body === undefined) return {}
  if (typeof body === 'string' || body instanceof Uint8Array)
    return { 'content-length': String(Buffer.byteLength(body)) }
  return { 'transfer-encoding': 'chunked' }
}
