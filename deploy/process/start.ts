import type { RequestListener } from 'node:http'
import type { Logger } from 'pino'
import type { Driver } from '../../drivers/driver.ts'
import { peers } from '../../http/peer.ts'
import type { PeerLimit } from '../../http/peer-limit.ts'
import { defaultLimits, type RunningServer, type ServerLimits, startServer } from '../../http/server.ts'
import { hubApp } from '../../hub/app.ts'
import { readerApp } from '../../reader/app.ts'
import { localUrl } from './config/checks.ts'
import type { Config, Kind } from './config/schema.ts'
import { openDriver } from './open-driver.ts'
import { StartError } from './start-error.ts'

export interface Running {
  hub: RunningServer | null
  reader: RunningServer | null
  /** Where clients are told to read; ends in `/`. */
  readUrlPrefix: string
  /** Lets requests under way finish, within the grace time, and closes the driver. May be called again. */
  close(): Promise<void>
}

type ServerName = 'hub' | 'reader'
type Address = { host: string; port: number }

/**
 * @param folder of the configuration file; the working folder unless said otherwise
 * @throws {StartError} and leaves nothing running
 */
export async function startServers(
  config: Config,
  kind: Kind,
  logger: Logger,
  folder: string = process.cwd(),
): Promise<Running> {
  const driver = await openDriver(config, { folder, access: kind === 'reader' ? 'read' : 'write' })
  const open: RunningServer[] = []
  let closed: Promise<void> | null = null
  const close = () => {
    closed ??= closeAll(open, driver)
    return closed
  }
  const start = async (name: ServerName, app: (logger: Logger) => RequestListener) => {
    const log = logger.child({ server: name })
    const server = await listen({ config, kind, name, app: app(log), logger: log })
    open.push(server)
    return server
  }
  try {
    // The reader first: the hub tells its address, and it may have taken any free port.
    const reader = kind === 'hub' ? null : await start('reader', (log) => readerOf(config, driver, log))
    const readUrlPrefix =
      config.hub.readURL ?? localUrl(config.reader.host, reader?.port ?? config.reader.port)
    const hub =
      kind === 'reader' ? null : await start('hub', (log) => hubOf(config, driver, log, readUrlPrefix))
    return { hub, reader, readUrlPrefix, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function closeAll(servers: readonly RunningServer[], driver: Driver): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
  await driver.close()
}

function hubOf(config: Config, driver: Driver, logger: Logger, readUrlPrefix: string): RequestListener {
  const { hub, timeouts, limits } = config
  return hubApp({
    ...peerLimitOf(config),
    addressRequestsPerMinute: limits.addressRequestsPerMinute,
    driver,
    logger,
    readUrlPrefix,
    serverName: hub.serverName,
    maxFileUploadSizeMegabytes: hub.maxFileUploadSize,
    pageSize: hub.pageSize,
    cacheControl: hub.cacheControl,
    whitelist: hub.whitelist,
    requireCorrectHubUrl: hub.requireCorrectHubUrl,
    validHubUrls: hub.validHubUrls,
    proofsRequired: hub.proofsConfig.proofsRequired,
    authorityCacheSize: hub.authTimestampCacheSize,
    revocationMaxAgeSeconds: hub.revocationMaxAge,
    maxInvocationLifetimeSeconds: hub.maxInvocationLifetime,
    idleTimeoutMs: timeouts.idleTimeout * 1000,
  })
}

function readerOf(config: Config, driver: Driver, logger: Logger): RequestListener {
  return readerApp({ ...peerLimitOf(config), driver, logger, cacheControl: config.reader.cacheControl })
}

function peerLimitOf({ limits }: Config): { peerLimit?: PeerLimit } {
  const { peerRequestsPerMinute: perMinute, trustedProxies } = limits
  return perMinute === 0 ? {} : { peerLimit: { perMinute, peers: peers(trustedProxies) } }
}

interface ListenOptions {
  config: Config
  kind: Kind
  name: ServerName
  app: RequestListener
  logger: Logger
}

async function listen({ config, kind, name, app, logger }: ListenOptions): Promise<RunningServer> {
  const { host, port } = config[name]
  const graceMs = config.timeouts.graceTimeout * 1000
  try {
    const { isProxy } = peers(config.limits.trustedProxies)
    return await startServer({ app, host, port, logger, limits: limitsOf(config), graceMs, isProxy })
  } catch (error) {
    throw new StartError('start', listenProblem(name, kind, { host, port }, error), error)
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

function listenProblem(name: ServerName, kind: Kind, { host, port }: Address, error: unknown): string {
  const flag = name === 'reader' && kind === 'both' ? '--reader-port' : '--port'
  const change = `another one is set by ${flag}, or by ${name}.port in the file`
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
