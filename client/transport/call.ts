import type { MandateError } from '../errors.ts'
import type { Backoff } from './backoff.ts'
import { textBody } from './body.ts'
import { refusalOf } from './refusal.ts'
import { networkError, send } from './send.ts'
import type { BodySource, CredentialSource, TransportRequest } from './transport.ts'

export interface CallSettings {
  /** `null` for the platform's own ways. */
  readonly fetch: typeof fetch | null
  readonly tries: Backoff
  readonly timeoutMs: number
}

/** One request with all its tries. */
export class Call {
  readonly #request: TransportRequest
  readonly #credentials: CredentialSource | null
  readonly #settings: CallSettings
  readonly #body: BodySource | null
  /** Whether an earlier try may have done what was asked without our knowing. */
  #answerLost: boolean
  #mayRenew = true

  constructor(request: TransportRequest, credentials: CredentialSource | null, settings: CallSettings) {
    this.#request = request
    this.#credentials = credentials
    this.#settings = settings
    this.#answerLost = request.answerLost ?? false
    this.#body = typeof request.body === 'string' ? textBody(request.body) : (request.body ?? null)
  }

  /** @throws {MandateError} of the last try; or the reason of the signal */
  async run(): Promise<Response> {
    for (;;) {
      const result = await this.#try()
      if (result instanceof Response) return result
      if (!(await this.#mayTryAgain(result))) throw this.#final(result)
    }
  }

  async #try(): Promise<Response | MandateError> {
    const { method, url, signal, onProgress, cache, accept = [] } = this.#request
    const { fetch } = this.#settings
    const { timeoutMs = this.#settings.timeoutMs } = this.#request
    const headers = { ...this.#request.headers, ...(await this.#credential()) }
    const body = (await this.#body?.open()) ?? null
    const size = this.#body?.size ?? null
    const outcome = await send({
      method,
      url,
      headers,
      body,
      size,
      signal,
      onProgress,
      cache,
      timeoutMs,
      fetch,
    })
    if (outcome.kind === 'failure') {
      this.#answerLost ||= outcome.wasSent && this.#changesSomething()
      return networkError(new URL(url).host, outcome.cause)
    }
    const { response } = outcome
    if (response.ok || accept.includes(response.status)) return response
    this.#answerLost ||= response.status >= 500 && this.#changesSomething()
    return refusalOf(response)
  }

  async #credential(): Promise<Record<string, string>> {
    const { needs } = this.#request
    if (needs === undefined || this.#credentials === null) return {}
    return this.#credentials.headers(needs, { fresh: !this.#isReplayable() })
  }

  async #mayTryAgain(error: MandateError): Promise<boolean> {
    if (!this.#isReplayable()) return false
    if (error.status === 401 || error.status === 403) return this.#mayRenewCredential(error)
    if (!this.#isPassing(error)) return false
    return this.#settings.tries.wait((error.retryAfterSeconds ?? 0) * 1000, this.#request.signal)
  }

  #mayRenewCredential(error: MandateError): boolean {
    const mayRenew = this.#mayRenew && this.#request.needs !== undefined
    this.#mayRenew = false
    return mayRenew && this.#credentials?.refused(error) === true
  }

  /** Whether the same request may fare better later. */
  #isPassing({ status }: MandateError): boolean {
    // After a lost answer the other writer may be the first try itself.
    if (status === 409) return this.#request.retryConflicts !== false || this.#answerLost
    if (status === 429) return true
    if (status === null && this.#request.retryUnanswered === false) return false
    if (status !== null && (status < 500 || status === 501)) return false
    return this.#request.idempotent !== false || !this.#answerLost
  }

  #final(error: MandateError): MandateError {
    error.answerLost = this.#answerLost
    if (!this.#isReplayable() && this.#isPassing(error)) {
      error.message += '; it was not tried again, because bytes of its stream were taken'
    }
    return error
  }

  #isReplayable(): boolean {
    return this.#body?.replayable !== false
  }

  #changesSomething(): boolean {
    const { method, changesNothing = false } = this.#request
    return !changesNothing && (method === 'POST' || method === 'DELETE')
  }
}
