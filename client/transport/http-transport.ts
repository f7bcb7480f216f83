import { addressOfDid } from '../did.ts'
import { BadAnswerError, InvalidInputError, type MandateError } from '../errors.ts'
import { ownCredentials } from '../own-credential.ts'
import { checkPath, encodePath } from '../path.ts'
import type { Signer } from '../signers/signer.ts'
import { type Backoff, backoff, type RetryOptions } from './backoff.ts'
import { textBody } from './body.ts'
import { isWebUrl, parseHubInfo } from './hub-info.ts'
import { readBounded } from './read-bounded.ts'
import { refusalOf } from './refusal.ts'
import { networkError, send } from './send.ts'
import type {
  BodySource,
  CredentialContext,
  CredentialSource,
  CredentialWallet,
  HubInfo,
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
}

/** JSON of a hub: a page of entries, a grant. */
const maxJsonBytes = 16 * 1024 * 1024

/**
 * Asks the hub what it is and makes the transport of one signer to one bucket.
 * @throws {MandateError} where there is no hub
 */
export async function connectTransport(options: TransportOptions): Promise<Transport> {
  const hubUrl = options.hub.replace(/\/+$/, '')
  if (!isWebUrl(hubUrl)) throw new InvalidInputError('the hub must be named by a URL: https://…')
  const did = await options.signer.did()
  const sender = new Sender(options)
  const response = await sender.request({ method: 'GET', url: `${hubUrl}/hub_info`, cache: 'no-cache' })
  const hub = parseHubInfo(await readJson(response))
  return new HttpTransport(sender, {
    ...options,
    hub,
    hubUrl,
    did,
    address: options.address ?? addressOfDid(did),
  })
}

interface BoundOptions {
  readonly hub: HubInfo
  readonly hubUrl: string
  readonly did: string
  readonly signer: Signer
  readonly address: string
  readonly wallet?: CredentialWallet
  readonly now?: () => number
}

class HttpTransport implements Transport {
  readonly hub: HubInfo
  readonly hubUrl: string
  readonly did: string
  readonly signer: Signer
  readonly address: string
  readonly credentials: CredentialSource
  readonly now: () => number
  readonly #sender: Sender
  #oldestIssueTime = 0

  constructor(sender: Sender, options: BoundOptions) {
    if (!/^[a-zA-Z0-9]{1,128}$/.test(options.address))
      throw new InvalidInputError('an address has letters and digits only')
    this.hub = options.hub
    this.hubUrl = options.hubUrl
    this.did = options.did
    this.signer = options.signer
    this.address = options.address
    this.now = options.now ?? Date.now
    this.#sender = sender
    this.credentials = credentialsFor(this, options.wallet)
  }

  issueTime(): number {
    return Math.max(Math.floor(this.now() / 1000), this.#oldestIssueTime)
  }

  raiseIssueTime(seconds: number): void {
    this.#oldestIssueTime = Math.max(seconds, this.#oldestIssueTime)
    this.credentials.forget()
  }

  request(request: TransportRequest): Promise<Response> {
    return this.#sender.request(request, this.credentials)
  }

  async requestJson(
    path: string,
    body: object,
    options: Parameters<Transport['requestJson']>[2],
  ): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.request({
      method: 'POST',
      url: path.startsWith('/') ? this.hubUrl + path : this.hubPath(path),
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...options,
    })
    return readJson(response)
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
  return wallet?.credentials(context) ?? ownCredentials(context)
}

function encoded(path: string): string {
  checkPath(path)
  return encodePath(path)
}

/** Sends requests again as long as that may help. */
class Sender {
  readonly #options: TransportOptions

  constructor(options: TransportOptions) {
    this.#options = options
  }

  async request(request: TransportRequest, credentials?: CredentialSource): Promise<Response> {
    const { fetch = globalThis.fetch, now = Date.now, random = Math.random, retry = {} } = this.#options
    const call = new Call(request, credentials, fetch, backoff(retry, { now, random }))
    return call.run()
  }
}

/** One request with all its tries. */
class Call {
  readonly #request: TransportRequest
  readonly #credentials: CredentialSource | undefined
  readonly #fetch: typeof fetch
  readonly #backoff: Backoff
  readonly #body: BodySource | null
  /** Whether an earlier try may have done what was asked without our knowing. */
  #answerLost = false
  #mayRenew = true

  constructor(
    request: TransportRequest,
    credentials: CredentialSource | undefined,
    fetch: typeof globalThis.fetch,
    tries: Backoff,
  ) {
    this.#request = request
    this.#credentials = credentials
    this.#fetch = fetch
    this.#backoff = tries
    this.#body = typeof request.body === 'string' ? textBody(request.body) : (request.body ?? null)
  }

  async run(): Promise<Response> {
    for (;;) {
      const result = await this.#try()
      if (result instanceof Response) return result
      if (!(await this.#mayTryAgain(result))) {
        result.answerLost = this.#answerLost
        throw result
      }
    }
  }

  async #try(): Promise<Response | MandateError> {
    const { method, url, signal, onProgress, cache, accept = [] } = this.#request
    const outcome = await send({
      method,
      url,
      headers: { ...this.#request.headers, ...(await this.#credential()) },
      body: (await this.#body?.open()) ?? null,
      size: this.#body?.size ?? null,
      signal,
      onProgress,
      cache,
      fetch: this.#fetch,
    })
    if (outcome.kind === 'failure') {
      this.#answerLost ||= outcome.wasSent && method !== 'GET' && method !== 'HEAD'
      return networkError(new URL(url).host, outcome.cause)
    }
    const { response } = outcome
    if (response.ok || accept.includes(response.status)) return response
    return refusalOf(response)
  }

  async #credential(): Promise<Record<string, string>> {
    const { needs } = this.#request
    if (needs === undefined || this.#credentials === undefined) return {}
    return this.#credentials.headers(needs, { fresh: this.#body?.replayable === false })
  }

  async #mayTryAgain(error: MandateError): Promise<boolean> {
    if (this.#body?.replayable === false) return false
    if (error.status === 401 || error.status === 403) return this.#mayRenewCredential(error)
    if (!this.#isPassing(error)) return false
    return this.#backoff.wait((error.retryAfterSeconds ?? 0) * 1000, this.#request.signal)
  }

  #mayRenewCredential(error: MandateError): boolean {
    const mayRenew = this.#mayRenew && this.#request.needs !== undefined
    this.#mayRenew = false
    return mayRenew && this.#credentials?.refused(error) === true
  }

  #isPassing({ status }: MandateError): boolean {
    if (status === 409) return this.#request.retryConflicts !== false
    if (status === 429) return true
    if (status === null) return this.#request.idempotent !== false || !this.#answerLost
    if (status < 500 || status === 501) return false
    this.#answerLost ||= this.#request.method === 'POST' || this.#request.method === 'DELETE'
    return this.#request.idempotent !== false
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
