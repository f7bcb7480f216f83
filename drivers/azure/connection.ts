import {
  AnonymousCredential,
  BlobServiceClient,
  type ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { DriverError } from '../errors.ts'
import { type RetryOptions, retryPolicy } from './retry.ts'
import { openSockets, type Sockets } from './sockets.ts'

/** Where the storage is and how to get in. */
export interface AzureAccountOptions {
  /** The container's name. */
  container: string
  /** As the portal shows it: endpoint and key, or endpoint and shared access signature. Instead of the next three. */
  connectionString?: string
  accountName?: string
  /** Without one, and without a signature in `endpoint`, the machine's identity is used (`DefaultAzureCredential`). */
  accountKey?: string
  /**
   * `https://<accountName>.blob.core.windows.net` unless said otherwise; may end in a shared access signature
   * (`?sv=…`), which then is the credential.
   */
  endpoint?: string
}

export interface AzureNetworkOptions {
  /** How many connections there may be at once, 64 unless said otherwise; further requests wait for one. */
  maxSockets?: number
  /** How long the service may be silent before a request is given up, in milliseconds; 60,000 unless said otherwise. */
  timeoutMs?: number
  /** How often a request is sent at most where the service is under load or the network fails; 4 unless said otherwise. */
  maxTries?: number
}

export const defaultTimeoutMs = 60_000

export interface Connection {
  readonly container: ContainerClient
  /** The same one, for what is expected to fail: sends each request once. */
  readonly impatient: ContainerClient
  close(): void
}

/** Asks nothing of the service yet. @throws `backend` when the options do not go together */
export async function connect(options: AzureAccountOptions & AzureNetworkOptions): Promise<Connection> {
  checkContainerName(options.container)
  const { url, credential } = await findAccount(options)
  const sockets = openSockets(new URL(url).protocol === 'https:', networkOf(options))
  const clientOf = (retries: RetryOptions): ContainerClient =>
    new BlobServiceClient(url, pipelineOf(credential, sockets, retries)).getContainerClient(options.container)
  const retries = retriesOf(options)
  return {
    container: clientOf(retries),
    impatient: clientOf({ ...retries, maxTries: 1 }),
    close: () => sockets.close(),
  }
}

type Credential = BlobServiceClient['credential']

function pipelineOf(credential: Credential, sockets: Sockets, retries: RetryOptions) {
  const pipeline = newPipeline(credential, {
    retryOptions: { maxTries: 1 },
    userAgentOptions: { userAgentPrefix: 'mandate' },
  })
  pipeline.factories.push(sockets.policy, retryPolicy(retries))
  return pipeline
}

function networkOf({ maxSockets = 64, timeoutMs = defaultTimeoutMs }: AzureNetworkOptions) {
  return { maxSockets, timeoutMs, connectTimeoutMs: Math.min(timeoutMs, 10_000) }
}

function retriesOf({ maxTries = 4 }: AzureNetworkOptions): RetryOptions {
  return { maxTries, baseDelayMs: 200, maxDelayMs: 5_000, random: Math.random }
}

async function findAccount(options: AzureAccountOptions): Promise<{ url: string; credential: Credential }> {
  const { connectionString, accountName, accountKey, endpoint } = options
  if (connectionString !== undefined) {
    if (accountName !== undefined || accountKey !== undefined || endpoint !== undefined) {
      throw misconfigured('connectionString goes without accountName, accountKey and endpoint')
    }
    return parseConnectionString(connectionString)
  }
  const url = endpoint ?? (accountName === undefined ? null : `https://${accountName}.blob.core.windows.net`)
  if (url === null) throw misconfigured('one of connectionString, accountName and endpoint is needed')
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw misconfigured('endpoint is not an http(s) URL')
  return { url, credential: await findCredential(url, accountName, accountKey) }
}

function parseConnectionString(text: string): { url: string; credential: Credential } {
  try {
    const { url, credential } = BlobServiceClient.fromConnectionString(text)
    return { url, credential }
  } catch {
    // The SDK's error may hold a piece of the string, and so of the key.
    throw misconfigured('connectionString is not one of Azure Storage')
  }
}

async function findCredential(
  url: string,
  accountName: string | undefined,
  accountKey: string | undefined,
): Promise<Credential> {
  if (accountKey !== undefined) {
    if (accountName === undefined) throw misconfigured('accountKey goes with accountName')
    return new StorageSharedKeyCredential(accountName, accountKey)
  }
  if (new URL(url).searchParams.has('sig')) return new AnonymousCredential()
  if (!url.startsWith('https:')) {
    throw misconfigured(
      'without an accountKey or a shared access signature the endpoint must be an https URL',
    )
  }
  // Loaded where it is needed only: it is larger than everything else of this driver.
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential()
}

/** Azure: 3 to 63 small letters, digits and single hyphens, or one of two names of its own. */
function checkContainerName(name: string): void {
  if (/^(\$root|\$web|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*)$/.test(name)) return
  throw misconfigured(
    'container is not a name that Azure allows (3 to 63 of a to z, 0 to 9 and single hyphens)',
  )
}

function misconfigured(message: string): DriverError {
  return new DriverError('backend', message)
}
