import type { RequestListener } from 'node:http'
import type { Logger } from 'pino'
import type { HttpInstruments } from '../../http/instruments.ts'
import { peers } from '../../http/peer.ts'
import { defaultLimits, type RunningServer, type ServerLimits, startServer } from '../../http/server.ts'
import type { Config, Kind } from './config/schema.ts'
import { StartError } from './start-error.ts'
import type { Certificate } from './tls/certificate.ts'
import { redirectToHttps } from './tls/redirect.ts'
import type { ServerName } from './watch/watch.ts'

export interface ListenOptions {
  config: Config
  kind: Kind
  name: ServerName
  app: RequestListener
  logger: Logger
  instruments: HttpInstruments
  /** With one the server speaks HTTPS. */
  certificate: Certificate | null
}

/**
 * Starts the server of one app: plain HTTP, or HTTPS with what `plainHttp` says beside it. What is answered is the one
 * that clients are told of; closing it closes both.
 * @throws {StartError} and leaves nothing running
 */
export async function listen(options: ListenOptions): Promise<RunningServer> {
  const { config, name, app, certificate } = options
  const { port, httpsPort } = config[name]
  if (certificate === null) return await start(options, 'port', { app, port })
  const secure = await start(options, 'httpsPort', { app, port: httpsPort, tls: certificate.context })
  if (config.plainHttp === 'off') return secure
  const plainApp = config.plainHttp === 'serve' ? app : redirectToHttps({ app, httpsPort: secure.port })
  try {
    return together(secure, await start(options, 'port', { app: plainApp, port }))
  } catch (error) {
    await secure.close()
    throw error
  }
}

function together(secure: RunningServer, plain: RunningServer): RunningServer {
  return {
    ...secure,
    async close() {
      await Promise.all([secure.close(), plain.close()])
    },
    load() {
      const [a, b] = [secure.load(), plain.load()]
      return {
        sockets: a.sockets + b.sockets,
        requests: a.requests + b.requests,
        waiting: a.waiting + b.waiting,
      }
    },
  }
}

type PortKey = 'port' | 'httpsPort'

async function start(
  { config, kind, name, logger, instruments }: ListenOptions,
  key: PortKey,
  server: Pick<Parameters<typeof startServer>[0], 'app' | 'port' | 'tls'>,
): Promise<RunningServer> {
  const { host } = config[name]
  const { isProxy } = peers(config.limits.trustedProxies)
  const graceMs = config.timeouts.graceTimeout * 1000
  try {
    return await startServer({
      ...server,
      host,
      logger,
      instruments,
      isProxy,
      graceMs,
      limits: limitsOf(config),
    })
  } catch (error) {
    throw new StartError('start', listenProblem({ name, kind, key, host, port: server.port }, error), error)
  }
}

function limitsOf({ timeouts, limits }: Config): Partial<ServerLimits> {
  return {
    headersTimeoutMs: timeouts.headersTimeout * 1000,
    requestTimeoutMs: timeouts.requestTimeout * 1000,
    // The hub answers an upload that stands still; the socket is only cut some time after that.
    idleTimeoutMs: Math.max(defaultLimits.idleTimeoutMs, timeouts.idleTimeout * 1000 + 10_000),
    maxSocketsPerPeer: limits.maxSocketsPerPeer,
    maxRequests: limits.maxRequests,
    maxAtWork: limits.maxRequestsAtWork,
  }
}

interface Place {
  name: ServerName
  kind: Kind
  key: PortKey
  host: string
  port: number
}

function listenProblem({ name, kind, key, host, port }: Place, error: unknown): string {
  const flag = name === 'reader' && kind === 'both' ? '--reader-port' : '--port'
  const change = `another one is set by ${key === 'port' ? `${flag}, or by ` : ''}${name}.${key} in the file`
  switch ((error as NodeJS.ErrnoException).code ?? '') {
    case 'EADDRINUSE':
      return `port ${port} is in use, so the ${name} cannot listen on it; ${change}`
    case 'EACCES':
      return `this user may not listen on port ${port}, which the ${name} was given; ${change}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the ${name} cannot listen at ${host}: this machine has no such address; another one is set by ${name}.host in the file or by --host`
    default:
      return `the ${name} cannot listen at ${host} on port ${port}: ${error instanceof Error ? error.message : String(error)}`
  }
}
