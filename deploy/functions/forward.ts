import { type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'
import { WireError } from '../../http/errors.ts'
import { loopback } from './start-function.ts'

/** A request as a platform hands it over. */
export interface FunctionRequest {
  method: string
  /** Path and query as the client sent them: nothing is decoded or normalized on the way. */
  target: string
  /** Name, value, name, value. */
  headers: readonly string[]
  /** Whom the platform names as the client; `null` where it names nobody. */
  peer: string | null
  /** `null` for a request without one. A stream is of the length that its headers tell, or chunked. */
  body: Readable | Uint8Array | null
}

/**
 * What concerns one connection only (RFC 9110 section 7.6.1), and what is told anew: how the body is framed, and by whom
 * the request came. `Expect` has been met by whoever took the body.
 */
const notForwarded: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'transfer-encoding',
  'content-length',
  'x-forwarded-for',
])

/**
 * Sends a request to the server of this function; resolves when its answer begins. Each goes over a connection of its
 * own: a platform freezes functions between requests, and a connection that was kept would be found closed.
 * @param signal gives the request up, its answer too where that has begun
 * @throws {WireError} where no such request can be made, or where the server is not there
 */
export function forward(
  port: number,
  { body, ...head }: FunctionRequest,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, target: path } = head
    const headers = forwardedHeaders({ ...head, body })
    // Node throws for what a head cannot hold.
    const options = { host: loopback, port, method, path, headers, agent: false }
    const sent = tryTo(() => request(signal === undefined ? options : { ...options, signal }))
    sent.on('response', resolve)
    // After the answer has begun this changes nothing: a server need not take a body that it refuses.
    sent.on('error', (cause) => reject(new WireError('unavailable', 'the server is not there', { cause })))
    if (body === null || body instanceof Uint8Array) {
      sent.end(body)
      return
    }
    body.pipe(sent)
    // A client that left: the server has to see it, too.
    body.on('error', () => sent.destroy())
    body.on('close', () => {
      if (!body.readableEnded) sent.destroy()
    })
  })
}

function tryTo<T>(make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new WireError('invalid_input', 'the request is not well-formed HTTP', { cause })
  }
}

function forwardedHeaders({ headers, peer, body }: FunctionRequest): string[] {
  const kept = pairs(headers).filter(([name]) => !notForwarded.has(name.toLowerCase()))
  const told = pairs(headers).find(([name]) => name.toLowerCase() === 'content-length')?.[1]
  return [...kept, ...cameBy(headers, peer), ...framing(body, told)].flat()
}

/**
 * Whom the platform names comes last, and counts, unless it is a proxy that `limits.trustedProxies` names: then, as
 * everywhere, who stands before it. What a client made up stands before that.
 */
function cameBy(headers: readonly string[], peer: string | null): string[][] {
  if (peer === null) return []
  const chain = pairs(headers).filter(([name]) => name.toLowerCase() === 'x-forwarded-for')
  return [['X-Forwarded-For', [...chain.map(([, value]) => value), peer].join(', ')]]
}

function framing(body: FunctionRequest['body'], told: string | undefined): string[][] {
  if (body === null) return []
  if (body instanceof Uint8Array) return [['Content-Length', String(body.length)]]
  return [told === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', told]]
}

/** The headers of an answer that are for the client. */
export function answerHeaders({ rawHeaders }: IncomingMessage): [name: string, value: string][] {
  return pairs(rawHeaders).filter(([name]) => !hopByHop.has(name.toLowerCase()))
}

const hopByHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding'])

function pairs(headers: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [
    headers[2 * i] ?? '',
    headers[2 * i + 1] ?? '',
  ])
}
