import { connect, type Socket } from 'node:net'

/** One request and what became of it. */
export interface Outcome {
  /** 0 where the connection broke. */
  status: number
  ms: number
}

export interface OpenLoad {
  port: number
  /** Whole text of the n-th request, head and body. */
  request: (n: number) => string
  requestsPerSecond: number
  seconds: number
  /** A request for which no connection is free is left out, and counted as such. */
  maxConnections: number
}

export interface OpenLoadResult {
  outcomes: Outcome[]
  leftOut: number
}

/**
 * Sends at a rate that does not wait for answers, as many independent clients do: a server that gets slow gets no
 * less to do. Writes to bare sockets, since a client that costs as much as the server could not ask for too much.
 */
export async function loadOpen(load: OpenLoad): Promise<OpenLoadResult> {
  const free: Client[] = []
  const all = new Set<Client>()
  const outcomes: Outcome[] = []
  let leftOut = 0
  let sent = 0

  const release = (client: Client, outcome: Outcome) => {
    outcomes.push(outcome)
    if (outcome.status === 0 || client.closes) all.delete(client)
    else free.push(client)
  }
  const obtain = () => {
    const idle = free.pop()
    if (idle !== undefined || all.size >= load.maxConnections) return idle
    const client = new Client(load.port, release)
    all.add(client)
    return client
  }

  const began = performance.now()
  while (performance.now() - began < load.seconds * 1000) {
    const due = ((performance.now() - began) / 1000) * load.requestsPerSecond
    for (; sent < due; sent++) {
      const client = obtain()
      if (client === undefined) leftOut++
      else client.send(load.request(sent))
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  for (const client of all) client.destroy()
  return { outcomes, leftOut }
}

/** One keep-alive connection with one request at a time. */
class Client {
  readonly #socket: Socket
  readonly #done: (client: Client, outcome: Outcome) => void
  #sentMs: number | null = null
  #received = ''
  closes = false

  constructor(port: number, done: (client: Client, outcome: Outcome) => void) {
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
    this.#sentMs = null
    this.#done(this, { status, ms })
  }
}
