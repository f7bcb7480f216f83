import { addressOfDid, controls } from '../did.ts'
import { BadAnswerError, InvalidInputError } from '../errors.ts'
import { ownCredentials } from '../own-credential.ts'
import { checkPath, encodePath } from '../path.ts'
import type { Signer } from '../signers/signer.ts'
import { type Backoff, backoff, type RetryOptions } from './backoff.ts'
import { Call } from './call.ts'
import { isWebUrl, parseHubInfo } from './hub-info.ts'
import { readBounded } from './read-bounded.ts'
import { type Outcome, send } from './send.ts'
import type {
  CredentialContext,
  CredentialSource,
  CredentialWallet,
  DirectRequest,
  HubInfo,
  JsonOptions,
  StorageWays,
  Transport,
  TransportRequest,
} from './transport.ts'

export interface TransportOptions {
  /** The hub's URL. */
  hub: string
  signer: Signer
  /** Whose bucket; the signer's own by default. */
  address?: string
  wallet?: CredentialWallet
  fetch?: typeof fetch
  /** Milliseconds since 1970. */
  now?: () => number
  /** 0 to 1, the latter excluded; spreads tries. */
  random?: () => number
  retry?: RetryOptions
  /** How long a transfer may stand still before it counts as broken. 60,000 by default. */
  idleTimeoutMs?: number
  /** Whether a hub that does not answer is told at once. */
  failFast?: boolean
  /** Ends connecting. */
  signal?: AbortSignal
}

/** JSON of a hub: a page of entries, a grant. */
const maxJsonBytes = 16 * 1024 * 1024

/** A hub may take its time to commit what it has: the answer to a large store comes late. */
const answerTimeoutMs = 300_000
/** What a hub says of itself it has at hand, once it runs. */
const hubInfoTimeoutMs = 30_000

/**
 * Asks the hub what it is and makes the transport of one signer to one bucket.
 * @throws {MandateError} where there is no hub
 */
export async function connectTransport(options: TransportOptions): Promise<Transport> {
  const hubUrl = options.hub.replace(/\/+$/, '')
  if (!isWebUrl(hubUrl)) throw new InvalidInputError('the hub must be named by a URL: https://…')
  const did = await options.signer.did()
  const sender = new Sender(options)
  const hub = await askHub(sender, hubUrl, {
    signal: options.signal,
    retryUnanswered: options.failFast !== true,
  })
  return new HttpTransport(sender, {
    ...options,
    hub,
    hubUrl,
    did,
    address: options.address ?? addressOfDid(did),
    ways: { avoidedUntilMs: 0, namesDiffer: false },
  })
}

async function askHub(
  sender: Sender,
  hubUrl: string,
  options: Pick<TransportRequest, 'signal' | 'retryUnanswered'>,
): Promise<HubInfo> {
  const response = await sender.request({
    method: 'GET',
    url: `${hubUrl}/hub_info`,
    cache: 'no-cache',
    timeoutMs: hubInfoTimeoutMs,
    ...options,
  })
  return parseHubInfo(await readJson(response))
}

interface BoundOptions extends Pick<TransportOptions, 'wallet' | 'now' | 'idleTimeoutMs' | 'signer'> {
  readonly hub: HubInfo
  readonly hubUrl: string
  readonly did: string
  readonly address: string
  readonly ways: StorageWays
}

class HttpTransport implements Transport {
  readonly hub: HubInfo
  readonly hubUrl: string
  readonly did: string
  readonly signer: Signer
  readonly address: string
  readonly credentials: CredentialSource
  readonly now: () => number
  readonly idleTimeoutMs: number
  readonly ways: StorageWays
  readonly #sender: Sender
  readonly #options: BoundOptions
  #oldestIssueTime = 0

  constructor(sender: Sender, options: BoundOptions) {
    if (!/^[a-zA-Z0-9]{1,128}$/.test(options.address)) {
      throw new InvalidInputError('an address has letters and digits only')
    }
    this.hub = options.hub
    this.hubUrl = options.hubUrl
    this.did = options.did
    this.signer = options.signer
    this.address = options.address
    this.now = options.now ?? Date.now
    this.idleTimeoutMs = options.idleTimeoutMs ?? 60_000
    this.ways = options.ways
    this.#sender = sender
    this.#options = options
    this.credentials = credentialsFor(this, options.wallet)
  }

  issueTime(): number {
    return Math.max(Math.floor(this.now() / 1000), this.#oldestIssueTime)
  }

  raiseIssueTime(seconds: number): void {
    this.#oldestIssueTime = Math.max(seconds, this.#oldestIssueTime)
    this.credentials.forget()
  }

  tries(): Backoff {
    return this.#sender.tries()
  }

  askHub(signal?: AbortSignal): Promise<HubInfo> {
    return askHub(this.#sender, this.hubUrl, { signal })
  }

  at(address: string): Transport {
    return new HttpTransport(this.#sender, { ...this.#options, address })
  }

  request(request: TransportRequest): Promise<Response> {
    return this.#sender.request(request, this.credentials)
  }

  async requestJson(
    operation: string,
    body: object,
    { path, headers, ...options }: JsonOptions,
  ): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.request({
      method: 'POST',
      url: this.hubPath(operation, path),
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      ...options,
    })
    return readJson(response)
  }

  sendDirectly(request: DirectRequest): Promise<Outcome> {
    return this.#sender.once(request)
  }

  hubPath(operation: string, path?: string): string {
    const bucket = `${this.hubUrl}/${operation}/${this.address}`
    return path === undefined ? bucket : `${bucket}/${encoded(path)}`
  }

  fileUrl(path: string): string {
    return `${this.hub.readUrlPrefix}${this.address}/${encoded(path)}`
  }
}

function credentialsFor(context: CredentialContext, wallet: CredentialWallet | undefined): CredentialSource {
  const isOwner = controls(context.did, context.address)
  return (isOwner ? null : wallet?.credentials(context)) ?? ownCredentials(context)
}

function encoded(path: string): string {
  checkPath(path)
  return encodePath(path)
}

/** Sends requests, each with its own tries. */
class Sender {
  readonly #options: TransportOptions

  constructor(options: TransportOptions) {
    this.#options = options
  }

  tries(): Backoff {
    const { now = Date.now, random = Math.random, retry = {} } = this.#options
    return backoff(retry, { now, random })
  }

  once(request: DirectRequest): Promise<Outcome> {
    const { fetch = null } = this.#options
    return send({ ...request, cache: undefined, timeoutMs: answerTimeoutMs, fetch })
  }

  request(request: TransportRequest, credentials?: CredentialSource): Promise<Response> {
    const { fetch = null } = this.#options
    return new Call(request, credentials ?? null, {
      fetch,
      tries: this.tries(),
      timeoutMs: answerTimeoutMs,
    }).run()
  }
}

async function readJson(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBounded(response, maxJsonBytes)
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()))
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new BadAnswerError('the hub did not answer with JSON', { status: response.status })
}
