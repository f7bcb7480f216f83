import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { Logger } from 'pino'
import { type Admission, type AdmissionLimits, admission, defaultAdmissionLimits } from './admission.ts'
import { type Connections, trackConnections } from './connections.ts'
import { WireError } from './errors.ts'
import { expressClasses, type MessageClasses } from './express-classes.ts'
import { headFault, refuseHead } from './head-fault.ts'
import { type HttpInstruments, noHttpInstruments } from './instruments.ts'
import { refuseOverload } from './overload.ts'
import { answerByHand, rawAnswer } from './raw-answer.ts'

/** What one client may take of the server, and what all of them together. */
export interface ServerLimits extends AdmissionLimits {
  /**
   * Bytes of a request's head, as Node counts them: target, names and values. PROTOCOL 2.2 wants at least 32 KiB
   * of headers; 2 KiB more are for the request target, which counts too. Beyond it 431.
   */
  maxHeaderBytes: number
  /** For the whole head of a request to arrive, from the moment of connecting or of its first byte; else 408. */
  headersTimeoutMs: number
  /** For the whole request to arrive, body included; else 408. What bounds a body that trickles in. */
  requestTimeoutMs: number
  /** How long a socket may wait for its next request. More than the 60 s after which balancers let go of theirs. */
  keepAliveTimeoutMs: number
  /** How long a socket may stay without a byte in either direction: a client that does not read its answer. */
  idleTimeoutMs: number
  /** How often the first two are looked at: how late a time-out may be. */
  checkIntervalMs: number
  /**
   * Open sockets of one peer address; further ones get 429. 0 for no limit: behind a proxy that is not named as one
   * all clients share its address.
   */
  maxSocketsPerPeer: number
}

export const defaultLimits: ServerLimits = {
  maxHeaderBytes: 34 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 3_600_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 120_000,
  checkIntervalMs: 2_000,
  maxSocketsPerPeer: 512,
  ...defaultAdmissionLimits,
}

export interface ServerOptions {
  app: RequestListener
  /** Address to listen on, `127.0.0.1` or `::` for instance. */
  host: string
  /** 0 for one that is free. */
  port: number
  logger: Logger
  limits?: Partial<ServerLimits>
  /** How long `close` lets requests under way go on. */
  graceMs?: number
  instruments?: HttpInstruments
  /** Certificate and key: with them the server speaks HTTPS, and nothing else. */
  tls?: SecureContextOptions
  /** Whether an address is that of a proxy, whose sockets are not counted. */
  isProxy?: (address: string) => boolean
}

/** What a server has at hand at the moment. */
export interface ServerLoad {
  sockets: number
  /** Requests under way, also those that wait for their turn. */
  requests: number
  waiting: number
}

export interface RunningServer {
  /** Without a slash at its end. */
  url: string
  port: number
  /**
   * Takes no new connection, closes those without work, lets requests under way finish for `graceMs` and cuts off
   * what is left. Resolves when every socket is closed; may be called again.
   */
  close: () => Promise<void>
  load: () => ServerLoad
  /**
   * Uses another certificate for connections that come from now on; those that are there go on with theirs. For a
   * server that was started with `tls`. @throws where it cannot be used; then the former one stays in force
   */
  setCertificate: (tls: SecureContextOptions) => void
}

/** @throws when the address cannot be listened on */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { app, host, port, logger, graceMs = 30_000 } = options
  const { instruments = noHttpInstruments, isProxy = () => false } = options
  const limits = { ...defaultLimits, ...options.limits }
  const server = createHttpServer(limits, expressClasses(app), options.tls)
  const isTls = options.tls !== undefined
  const tooMany = rawAnswer(
    new WireError('rate_limited', 'too many open connections from this address', { retryAfterSeconds: 5 }),
  )
  const connections = trackConnections(server, {
    maxSocketsPerPeer: limits.maxSocketsPerPeer,
    isProxy,
    isTls,
    refuse(socket) {
      instruments.turnedAway('sockets')
      // Before the handshake there is no way to say anything.
      if (isTls) return void socket.destroy()
      socket.pause()
      socket.write(tooMany)
      socket.destroySoon()
    },
  })
  const door = admission({ ...limits, refuse: refuseOverload(logger, instruments) })
  server.on('connection', () => door.arrival())
  server.on('clientError', answerClientErrors(connections, logger, instruments))
  server.on('request', unlessFaulty(inTurn(app, door), refuseHead(logger, instruments)))
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res)
    server.emit('request', req, res)
  })
  // Without a listener Node would answer by itself, bare.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res))
  await listen(server, host, port)
  const { port: actualPort } = server.address() as AddressInfo
  let closed: Promise<void> | null = null
  return {
    url: `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    close: () => {
      closed ??= closeGracefully(server, connections, graceMs, logger)
      return closed
    },
    load() {
      const { underWay, waiting } = door.counts()
      return { sockets: connections.count(), requests: underWay, waiting }
    },
    setCertificate(tls) {
      if (!isTls) throw new TypeError('the server speaks plain HTTP')
      ;(server as TlsServer).setSecureContext(tls)
    },
  }
}

/**
 * Whoever asks whether the process is alive gets an answer however busy it is: else it would be ended for that. So does
 * a preflight, which costs next to nothing: a browser tells its page of no refusal without it.
 */
function inTurn(app: RequestListener, door: Admission): RequestListener {
  return (req, res) => {
    if (req.url === '/healthz' || isPreflight(req)) app(req, res)
    else door.enter(req, res, () => app(req, res))
  }
}

/** What CORS calls so: the Fetch standard, section 3.3.2. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  )
}

/** Hands on what {@link headFault} finds nothing in. */
function unlessFaulty(next: RequestListener, refuseFaulty: ReturnType<typeof refuseHead>): RequestListener {
  return (req, res) => {
    const fault = headFault(req)
    if (fault === null) next(req, res)
    else refuseFaulty(req, res, fault)
  }
}

function createHttpServer(
  limits: ServerLimits,
  classes: MessageClasses | null,
  tls: SecureContextOptions | undefined,
): Server {
  const options = {
    ...classes,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    noDelay: true,
    // Node would refuse what has none by itself, bare.
    requireHostHeader: false,
  }
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.headersTimeoutMs })
  server.maxRequestsPerSocket = 0
  server.timeout = limits.idleTimeoutMs
  return server
}

/**
 * `Expect: 100-continue` (RFC 9110 section 10.1.1): the client is told to go on when something first reads the
 * body, so that a request which is refused by its head never uploads at all.
 */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const read = req._read.bind(req)
  req._read = (size) => {
    req._read = read
    if (!res.headersSent && !res.destroyed) res.writeContinue()
    read(size)
  }
}

/** Requests that Node's parser or its timers refuse never reach the app; they are answered alike. */
function answerClientErrors(connections: Connections, logger: Logger, instruments: HttpInstruments) {
  const answered = new WeakSet<Socket>()
  return (error: Error & { code?: string }, stream: unknown) => {
    const socket = stream as Socket
    // Node tells the same error again for every further byte.
    if (answered.has(socket)) return
    answered.add(socket)
    // A handshake that failed: the client would not understand an answer.
    if (isTlsError(error.code)) return void socket.destroy()
    if (error.code === 'ECONNRESET' || !socket.writable || connections.answerBegun(socket)) {
      socket.destroy()
      return
    }
    const refusal = refusalOf(error.code)
    // A client that leaves in the middle of a body: its request is counted and logged as that.
    if (error.code !== 'HPE_INVALID_EOF_STATE' || !connections.isAtWork(socket)) {
      instruments.turnedAway('malformed')
      logger.warn({ code: error.code, refusal: refusal.code }, 'request refused')
    }
    answerByHand(socket, refusal)
  }
}

function isTlsError(code: string | undefined): boolean {
  return /^ERR_(SSL|TLS)_/.test(code ?? '')
}

function refusalOf(code: string | undefined): WireError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new WireError('headers_too_large', 'the headers of the request are too large')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new WireError('request_timeout', 'the request did not arrive in time')
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new WireError('payload_too_large', 'the chunk extensions of the body are too large')
  }
  return new WireError('invalid_input', 'the request is not well-formed HTTP')
}

/**
 * Connections that wait to be accepted; the system may allow fewer. Where there is no more room, a client hears nothing
 * and tries again a second later, which is no way to be told that there is too much to do.
 */
const backlog = 4_096

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function closeGracefully(server: Server, connections: Connections, graceMs: number, logger: Logger) {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  connections.retire()
  const timer = setTimeout(() => {
    logger.warn({ graceMs }, 'requests under way were cut off')
    connections.destroyAll()
  }, graceMs)
  await closed
  clearTimeout(timer)
}
