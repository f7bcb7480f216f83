import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

interface Refusal {
  readonly status: number
  readonly code: string
}

interface Answer {
  readonly status: number
  readonly headers: string[]
  readonly etag: string | undefined
  readonly body: Buffer
}

/**
 * Holds requests to conditions as AWS does, in front of a server that does so only in part: `If-Match` (in quotes) and
 * `If-None-Match` of puts, of the end of multipart uploads and of deletes, and `x-amz-copy-source-if-match`. What
 * changes anything goes through one at a time, so check and change are one step. It takes the conditions out of the
 * requests, so these must not be signed.
 */
export class StrictS3 {
  readonly requests: string[] = []
  readonly #target: URL
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server = createServer((incoming, response) => {
    this.#handle(incoming, response).catch(() => response.destroy())
  })
  #turn: Promise<unknown> = Promise.resolve()

  static async start(target: string): Promise<StrictS3> {
    const server = new StrictS3(new URL(target))
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  constructor(target: URL) {
    this.#target = target
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${incoming.method} ${incoming.url}`)
    const body = await buffer(incoming)
    const isChange =
      !['GET', 'HEAD'].includes(incoming.method ?? '') && !incoming.url?.includes('partNumber=')
    const work = () => this.#answer(incoming, body)
    const answer = await (isChange ? this.#inTurn(work) : work())
    response.writeHead(answer.status, answer.headers).end(answer.body)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #answer(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const { method = 'GET', url = '/', headers } = incoming
    if (method === 'GET' || method === 'HEAD') return await this.#forward(method, url, headers, body)
    const {
      'if-match': ifMatch,
      'if-none-match': ifNoneMatch,
      'x-amz-copy-source-if-match': ofSource,
      ...rest
    } = headers
    const source = headers['x-amz-copy-source']
    const refusal =
      (await this.#check(url.replace(/\?.*/, ''), ifMatch, ifNoneMatch)) ??
      (typeof ofSource === 'string' ? await this.#check(`/${String(source)}`, ofSource, undefined) : null)
    return refusal === null ? await this.#forward(method, url, rest, body) : refuse(refusal)
  }

  async #check(
    path: string,
    ifMatch: string | undefined,
    ifNoneMatch: string | undefined,
  ): Promise<Refusal | null> {
    if (ifMatch === undefined && ifNoneMatch === undefined) return null
    const { status, etag } = await this.#forward('HEAD', path, {}, Buffer.alloc(0))
    if (ifMatch !== undefined && status === 404) return { status: 404, code: 'NoSuchKey' }
    const holds = ifMatch === undefined ? status === 404 : etag === ifMatch
    return holds ? null : { status: 412, code: 'PreconditionFailed' }
  }

  async #forward(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    const { hostname, port, host } = this.#target
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      headers: { ...headers, host },
      agent: this.#agent,
    })
    outgoing.end(body)
    const [answer]: IncomingMessage[] = await once(outgoing, 'response')
    if (answer === undefined) throw new Error('no answer')
    return {
      status: answer.statusCode ?? 500,
      headers: answer.rawHeaders,
      etag: answer.headers.etag,
      body: await buffer(answer),
    }
  }
}

function refuse({ status, code }: Refusal): Answer {
  const body = Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`)
  return { status, headers: ['Content-Type', 'application/xml'], etag: undefined, body }
}
