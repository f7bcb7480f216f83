import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { DriverError } from '../errors.ts'

export interface SocketOptions {
  /** How many connections there may be at once for calls, and as many for the bodies of reads. */
  readonly maxSockets: number
  /** How long a request may wait for a connection, and a connection may say nothing. Milliseconds. */
  readonly timeoutMs: number
}

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Sent with its length, so it can be sent again. */
  readonly body?: readonly Uint8Array[]
  /**
   * Whether the answer's body is read as fast as somebody else likes. Such readers have connections of their own,
   * so that slow ones keep nobody from writing, and silence is theirs to judge.
   */
  readonly isStreamed?: boolean
}

/**
 * The connections of one driver. The SDK's own requests go over agents that all clients of a process share,
 * without a bound, and that it destroys, with all that others do over them, when one reader goes away early.
 */
export class Sockets {
  readonly #options: SocketOptions
  readonly #agents = new Map<string, HttpAgent>()
  #isClosed = false

  constructor(options: SocketOptions) {
    this.#options = options
  }

  /** Resolves with the head of the answer; its body is the caller's to consume or destroy. */
  async send(request: HttpRequest): Promise<IncomingMessage> {
    if (this.#isClosed) throw new DriverError('backend', 'the driver is closed')
    const { method, url, headers, body = [], isStreamed = false } = request
    const length = body.reduce((sum, piece) => sum + piece.byteLength, 0)
    const { timeoutMs } = this.#options
    return await new Promise((resolve, reject) => {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest
      const req = open({
        hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...headers, ...(method === 'GET' ? {} : { 'Content-Length': String(length) }) },
        agent: this.#agent(url.protocol, isStreamed),
        timeout: timeoutMs,
      })
      const waiting = setTimeout(() => {
        // Without a connection nothing tells of the end of a request.
        req.destroy()
        reject(timedOut('EQUEUED'))
      }, timeoutMs)
      const stopWaiting = (): void => clearTimeout(waiting)
      req.once('socket', stopWaiting).once('close', stopWaiting)
      req.on('timeout', () => req.destroy(timedOut('ETIMEDOUT')))
      // Stays for good: an error after the answer belongs to the answer, and must not end the process.
      req.on('error', reject)
      req.once('response', (res) => {
        if (isStreamed && (res.statusCode ?? 0) < 300) req.setTimeout(0)
        resolve(res)
      })
      for (const piece of body) req.write(piece)
      req.end()
    })
  }

  /** Ends the connections in use too. */
  close(): void {
    this.#isClosed = true
    for (const agent of this.#agents.values()) agent.destroy()
  }

  #agent(protocol: string, isStreamed: boolean): HttpAgent {
    const name = `${protocol}${isStreamed}`
    const known = this.#agents.get(name)
    if (known !== undefined) return known
    const settings = { keepAlive: true, maxSockets: this.#options.maxSockets, scheduling: 'lifo' as const }
    const agent = protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings)
    this.#agents.set(name, agent)
    return agent
  }
}

function timedOut(code: 'EQUEUED' | 'ETIMEDOUT'): Error {
  return Object.assign(new Error('the request timed out'), { code })
}
