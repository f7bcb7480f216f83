import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import { type RunningServer, type ServerOptions, startServer } from '../../http/server.ts'

/** A line of the log. */
export type LogLine = Record<string, unknown>

export interface Served extends RunningServer {
  /** What was logged so far. */
  lines: LogLine[]
  /** The lines of requests alone. */
  requests: () => LogLine[]
}

/** A logger that keeps its lines. */
export function keepingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as LogLine)
      done()
    },
  })
  return { logger: pino({ level: 'debug' }, stream), lines }
}

const running = new Set<RunningServer>()

/** A server on a free port of the loopback, closed by {@link closeServers}. */
export async function serve(
  makeApp: (logger: Logger) => RequestListener,
  options: Pick<ServerOptions, 'limits' | 'graceMs' | 'instruments'> = {},
): Promise<Served> {
  const { logger, lines } = keepingLogger()
  const server = await startServer({ app: makeApp(logger), host: '127.0.0.1', port: 0, logger, ...options })
  running.add(server)
  return { ...server, lines, requests: () => lines.filter((line) => line.msg === 'request') }
}

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  const servers = [...running]
  running.clear()
  await Promise.all(servers.map((server) => server.close()))
}

export interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
}

/** A client that writes exactly what it is told, and reads until the server closes. */
export class RawClient {
  readonly socket: Socket
  received = ''
  /** Code of the error that ended the connection. */
  error: string | undefined
  readonly closed: Promise<void>

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.received += text
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code
    })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  send(text: string | Buffer): this {
    this.socket.write(text)
    return this
  }

  /** Resolves when what was received matches. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) await once(this.socket, 'data')
  }

  /** Waits for the end of the connection. */
  async answer(): Promise<RawAnswer> {
    await this.closed
    return parseAnswer(this.received)
  }
}

/** One exchange over a connection that the server closes. */
export async function exchange(port: number, text: string): Promise<RawAnswer> {
  return await new RawClient(port).send(text).answer()
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: Object.fromEntries(pairs),
    body: text.slice(end + 4),
  }
}

/** Waits until a condition holds; fails after two seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 2_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not come to hold within two seconds')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
