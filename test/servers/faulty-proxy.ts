import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What becomes of a request. */
export type Fate =
  | { readonly do: 'pass'; readonly without?: readonly string[] }
  /** The server answers, and the client does not hear of it. */
  | { readonly do: 'lose the answer' }
  /** So many bytes of the answer's body come through, then the connection ends. */
  | { readonly do: 'cut the answer'; readonly after: number }
  /** As many, then nothing more comes. */
  | { readonly do: 'stall the answer'; readonly after: number }
  | {
      readonly do: 'answer'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** Nothing is ever answered. */
  | { readonly do: 'be silent' }

/** Stands between a client and a server on this machine, and does to requests what a test says. */
export class FaultyProxy {
  readonly requests: string[] = []
  /** The most connections that were open at once. */
  mostSockets = 0
  /** Asked about each request before it goes on; may do something of its own meanwhile. */
  decide: (request: IncomingMessage) => Fate | Promise<Fate> = () => ({ do: 'pass' })
  /** Asked before the body of a request has come: a status is answered then, and the connection ends. */
  refuseEarly: (request: IncomingMessage) => number | null = () => null
  /** Passes a body that broke off on as if it had been whole, as some servers store it. The requests must not be signed. */
  passesCutBodies = false
  readonly sockets = new Set<Socket>()
  readonly #target: URL
  readonly #server: Server

  /** @param target the server's URL */
  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(target))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  constructor(target: URL) {
    this.#target = target
    this.#server = createServer((incoming, response) => {
      this.#handle(incoming, response).catch(() => response.destroy())
    })
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket)
      this.mostSockets = Math.max(this.mostSockets, this.sockets.size)
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  /** The target's URL by way of this proxy. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}${this.#target.pathname}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${incoming.method} ${incoming.url}`)
    const refusal = this.refuseEarly(incoming)
    if (refusal !== null) {
      response.writeHead(refusal, { connection: 'close' }).end()
      return
    }
    const body = await this.#bodyOf(incoming)
    const fate = await this.decide(incoming)
    if (fate.do === 'be silent') return
    if (fate.do === 'answer') {
      response.writeHead(fate.status, fate.headers).end(fate.body)
      return
    }
    const answer = await this.#forward(incoming, body, fate.do === 'pass' ? (fate.without ?? []) : [])
    if (fate.do === 'lose the answer') {
      // Read, or its connection would stay as long as the server lets it.
      answer.resume()
      response.destroy()
      return
    }
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
    const bytes = await buffer(answer)
    if (fate.do === 'pass') response.end(bytes)
    else
      response.write(bytes.subarray(0, fate.after), () => fate.do === 'cut the answer' && response.destroy())
  }

  async #bodyOf(incoming: IncomingMessage): Promise<Buffer> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of incoming) pieces.push(piece as Buffer)
    } catch (error) {
      if (!this.passesCutBodies) throw error
      incoming.headers['content-length'] = String(Buffer.concat(pieces).length)
    }
    return Buffer.concat(pieces)
  }

  async #forward(
    incoming: IncomingMessage,
    body: Buffer,
    without: readonly string[],
  ): Promise<IncomingMessage> {
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !without.includes(name)),
    )
    const outgoing = request({
      hostname: this.#target.hostname,
      port: this.#target.port,
      method: incoming.method,
      path: incoming.url,
      headers,
      agent: false,
    })
    outgoing.end(body)
    const [answer]: IncomingMessage[] = await once(outgoing, 'response')
    if (answer === undefined) throw new Error('no answer')
    return answer
  }
}
