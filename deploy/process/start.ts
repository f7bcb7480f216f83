import type { RequestListener } from 'node:http'
import type { Logger } from 'pino'
import type { Driver } from '../../drivers/driver.ts'
import { peers } from '../../http/peer.ts'
import type { PeerLimit } from '../../http/peer-limit.ts'
import type { RunningServer } from '../../http/server.ts'
import { type HubOptions, hubApp } from '../../hub/app.ts'
import type { HubInstruments } from '../../hub/instruments.ts'
import { type ReaderOptions, readerApp } from '../../reader/app.ts'
import { localUrl } from './config/checks.ts'
import type { Config, Kind } from './config/schema.ts'
import { listen } from './listen.ts'
import { openDriver } from './open-driver.ts'
import { StartError } from './start-error.ts'
import { type Certificate, readCertificate } from './tls/certificate.ts'
import { followCertificate } from './tls/follow-certificate.ts'
import { noWatch, type ServerName, type Watch } from './watch/watch.ts'

export interface Running {
  hub: RunningServer | null
  reader: RunningServer | null
  /** Where clients are told to read; ends in `/`. */
  readUrlPrefix: string
  /** Of the storage: whether a delete under a condition loses nothing that another hub stores meanwhile. */
  atomicDeletes: boolean
  /** Lets requests under way finish, within the grace time, and closes the driver. May be called again. */
  close(): Promise<void>
}

export interface StartOptions {
  config: Config
  kind: Kind
  logger: Logger
  /** That of the configuration file; the working folder unless said otherwise. */
  folder?: string
  watch?: Watch
}

/** @throws {StartError} and leaves nothing running */
export async function startServers(options: StartOptions): Promise<Running> {
  const { config, kind, logger, folder = process.cwd(), watch = noWatch } = options
  const certificate = certificateOf(config)
  const opened = await openDriver(config, { folder, access: kind === 'reader' ? 'read' : 'write' })
  const driver = watch.driver(opened)
  const open: RunningServer[] = []
  let closed: Promise<void> | null = null
  let followed: { stop: () => void } | null = null
  const close = () => {
    followed?.stop()
    closed ??= closeAll(open, driver)
    return closed
  }
  const start = async (name: ServerName, app: (parts: Parts) => RequestListener) => {
    const parts = {
      config,
      driver,
      logger: logger.child({ server: name }),
      instruments: watch.instruments(name),
    }
    const server = await listen({ ...parts, kind, name, app: app(parts), certificate })
    open.push(server)
    watch.listening(name, server)
    return server
  }
  try {
    // The reader first: the hub tells its address, and it may have taken any free port.
    const reader = kind === 'hub' ? null : await start('reader', readerOf)
    const readUrlPrefix =
      config.hub.readURL ??
      localUrl(config.reader.host, reader?.port ?? config.reader.port, certificate !== null)
    const hub = kind === 'reader' ? null : await start('hub', (parts) => hubOf(parts, readUrlPrefix))
    if (certificate !== null) followed = useCertificates(config, certificate, open, watch, logger)
    return { hub, reader, readUrlPrefix, atomicDeletes: driver.capabilities.atomicDeletes, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function closeAll(servers: readonly RunningServer[], driver: Driver): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
  await driver.close()
}

/** @throws {StartError} where it cannot be read or used */
function certificateOf({ enableHttps, tlsCertConfig }: Config): Certificate | null {
  if (enableHttps === null) return null
  try {
    return readCertificate(tlsCertConfig)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError('start', `the certificate of tlsCertConfig cannot be used: ${reason}`, error)
  }
}

function useCertificates(
  config: Config,
  first: Certificate,
  servers: readonly RunningServer[],
  watch: Watch,
  logger: Logger,
): { stop: () => void } {
  watch.certificate(first)
  return followCertificate({
    files: config.tlsCertConfig,
    first,
    logger,
    onChange(certificate) {
      for (const server of servers) server.setCertificate(certificate.context)
      watch.certificate(certificate)
    },
  })
}

/** What an app is made of. */
interface Parts {
  config: Config
  driver: Driver
  logger: Logger
  instruments: HubInstruments
}

function hubOf({ config, driver, logger, instruments }: Parts, readUrlPrefix: string): RequestListener {
  const { hub, timeouts, limits } = config
  return hubApp({
    ...peerLimitOf(config),
    addressRequestsPerMinute: limits.addressRequestsPerMinute,
    driver,
    logger,
    instruments,
    hsts: config.hsts,
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
    ...directUploadOf(config, driver, logger),
  })
}

/** A hub without direct uploads is whole, so what the storage cannot do is told and no reason to stop. */
function directUploadOf(
  { hub }: Config,
  { presign }: Driver,
  logger: Logger,
): Pick<HubOptions, 'directUpload'> {
  const { directUploadThreshold: thresholdBytes, directUploadLifetime: lifetimeSeconds } = hub
  if (thresholdBytes === null) return {}
  if (presign?.uploads == null) {
    logger.warn('direct uploads are off: the storage does not hold presigned uploads to what was signed')
  }
  return { directUpload: { thresholdBytes, lifetimeSeconds } }
}

function readerOf({ config, driver, logger, instruments }: Parts): RequestListener {
  const { hsts, reader } = config
  const { cacheControl } = reader
  const redirect = redirectOf(config, driver)
  return readerApp({ ...peerLimitOf(config), ...redirect, driver, logger, instruments, cacheControl, hsts })
}

/** @throws {StartError} where the reader would have to send every byte itself, which it was told not to */
function redirectOf({ reader }: Config, { presign }: Driver): Pick<ReaderOptions, 'redirect'> {
  const { redirect: to, redirectURL: baseUrl, redirectThreshold: thresholdBytes } = reader
  if (to === 'public' && baseUrl !== null) return { redirect: { to, baseUrl, thresholdBytes } }
  if (to !== 'presigned') return {}
  if (presign === undefined) {
    throw new StartError(
      'start',
      'reader.redirect is "presigned", and the storage presigns nothing: it needs credentials with a key of their own',
    )
  }
  return { redirect: { to, presigner: presign, thresholdBytes } }
}

function peerLimitOf({ limits }: Config): { peerLimit?: PeerLimit } {
  const { peerRequestsPerMinute: perMinute, trustedProxies } = limits
  return perMinute === 0 ? {} : { peerLimit: { perMinute, peers: peers(trustedProxies) } }
}
