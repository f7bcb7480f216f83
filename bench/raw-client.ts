import { connect, type Socket } from 'node:net'

/** One request and what became of it. */
export interface Outcome {
  /** 0 where the connection broke. */
  status: number
  ms: number
  /** Whether the connection was new: then the time to be accepted is in `ms`. */
  isFirst: boolean
}

/**
 * One keep-alive connection with one request at a time. Writes requests as they are to a bare socket and looks at no more
 * of an answer than it must: a client that costs as much as the server could neither ask for too much nor leave it a core.
 */
export class RawClient {
  readonly #socket: Socket
  readonly #done: (client: RawClient, outcome: Outcome) => void
  #sentMs: number | null = null
  #received = ''
  #isFirst = true
  closes = false

  constructor(port: number, done: (client: RawClient, outcome: Outcome) => void) {
    this.#done = done
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.closes = true
      this.#finish(0)
    })
  }

  send(request: string): void {
    this.#sentMs = performance.now()
    this.#received = ''
    this.#socket.write(request)
  }

  destroy(): void {
    this.#sentMs = null
    this.#socket.destroy()
  }

  #take(text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.slice(0, end)
    const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(head)?.[1] ?? 0)
    if (this.#received.length < end + 4 + length) return
    if (/\r\nconnection: close/i.test(head)) this.closes = true
    this.#finish(Number(head.slice(9, 12)))
  }

  #finish(status: number): void {
    if (this.#sentMs === null) return
    const ms = performance.now() - this.#sentMs
    const isFirst = this.#isFirst
    this.#sentMs = null
    this.#isFirst = false
    this.#done(this, { status, ms, isFirst })
  }
}
