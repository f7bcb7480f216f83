import { MandateError, NetworkError, PreconditionFailedError } from '../errors.ts'
import type { Backoff } from '../transport/backoff.ts'
import { networkError } from '../transport/send.ts'
import type { Transport } from '../transport/transport.ts'
import { storageRefusal } from './storage-refusal.ts'
import type { Shipment } from './store.ts'
import { etagIn, readUploadRequest, type UploadRequest } from './upload-request.ts'

/** The file is stored, under an etag where that could be read; or the hub has to take it after all. */
export type Uploaded =
  | { readonly etag: string | null }
  | { readonly because: string; readonly answerLost: boolean }

/** How often in turn a storage may give no answer, or none that serves, before the hub is asked to take the file. */
const maxFailures = 2
/** How long a storage that is out of reach is left alone. */
const avoidMs = 300_000

/** Whether a file of so many bytes is better brought to the storage itself. */
export function goesDirectly({ hub, ways, now }: Transport, size: number | null): boolean {
  const { directUploadThreshold } = hub
  return (
    size !== null &&
    directUploadThreshold !== null &&
    size > directUploadThreshold &&
    now() >= ways.avoidedUntilMs
  )
}

/**
 * Brings a file to the storage by a request that the hub has signed for just this one; tried again as a store is, each
 * time by a new one, since they do not last.
 * @throws {MandateError} as a store does; or the reason of the signal
 */
export function uploadDirectly(transport: Transport, shipment: Shipment): Promise<Uploaded> {
  return new DirectUpload(transport, shipment).run()
}

class DirectUpload {
  readonly #transport: Transport
  readonly #shipment: Shipment
  readonly #tries: Backoff
  /** Whether an earlier try may have stored it without our knowing. */
  #answerLost = false
  #failures = 0

  constructor(transport: Transport, shipment: Shipment) {
    this.#transport = transport
    this.#shipment = shipment
    this.#tries = transport.tries()
  }

  async run(): Promise<Uploaded> {
    for (;;) {
      const request = await this.#ask()
      if (request === null) return this.#instead('it gave no direct upload for this one')
      const uploaded = await this.#send(request)
      if (uploaded !== null) return uploaded
    }
  }

  /** `null` where hub, storage or credential allow none for this file. */
  async #ask(): Promise<UploadRequest | null> {
    const { path, body, contentType, condition, ability, signal, retryConflicts } = this.#shipment
    const { size } = body
    try {
      const described = { size, contentType }
      const answer = await this.#transport.requestJson('upload', described, {
        path,
        headers: condition,
        needs: [{ ability, path, size, contentType }],
        changesNothing: true,
        answerLost: this.#answerLost,
        signal,
        retryConflicts,
      })
      return readUploadRequest(answer, this.#transport.hubUrl)
    } catch (error) {
      if (error instanceof MandateError && error.status === 501) return null
      throw error
    }
  }

  /** `null` where it is worth another try. */
  async #send({ url, headers, expiresMs, etagHeader }: UploadRequest): Promise<Uploaded | null> {
    const { body, signal, onProgress } = this.#shipment
    const outcome = await this.#transport.sendDirectly({
      method: 'PUT',
      url,
      headers,
      body: await body.open(),
      size: body.size,
      signal,
      onProgress,
    })
    if (outcome.kind === 'failure') {
      this.#answerLost ||= outcome.wasSent
      return this.#afterSilence(unanswered(new URL(url).host, outcome.cause))
    }
    const { response } = outcome
    if (!response.ok) {
      this.#answerLost ||= response.status >= 500
      return this.#afterRefusal(await storageRefusal(response, this.#transport.now() >= expiresMs))
    }
    await response.body?.cancel()
    return { etag: etagIn(response.headers, etagHeader) }
  }

  async #afterSilence(error: NetworkError): Promise<Uploaded | null> {
    const { replayable } = this.#shipment.body
    if (replayable && ++this.#failures < maxFailures && (await this.#mayTryAgain(error))) return null
    return this.#giveUp(error)
  }

  async #afterRefusal(error: MandateError): Promise<Uploaded | null> {
    const { condition, retryConflicts, body } = this.#shipment
    const { status } = error
    if (status === 409 || status === 429 || (status !== 501 && (status ?? 0) >= 500)) {
      const isPassing = status !== 409 || retryConflicts || this.#answerLost
      if (isPassing && (await this.#mayTryAgain(error))) return null
      throw this.#final(error)
    }
    if (status === 413) throw error
    if (error instanceof PreconditionFailedError) {
      // Where we set no condition it was the hub's, which knows what that means for this credential.
      const isOurs = Object.keys(condition).length > 0
      if (isOurs || !(await this.#mayTryAgain(error))) throw this.#final(error)
      return null
    }
    // It has expired, or is not what the storage takes: another one may be, once.
    return body.replayable && ++this.#failures < maxFailures ? null : this.#giveUp(error)
  }

  async #mayTryAgain({ retryAfterSeconds }: MandateError): Promise<boolean> {
    if (!this.#shipment.body.replayable) return false
    return this.#tries.wait((retryAfterSeconds ?? 0) * 1000, this.#shipment.signal)
  }

  /** The hub takes what can be sent again, and all that follows for a while. */
  #giveUp(error: MandateError): Uploaded {
    const { ways, now } = this.#transport
    ways.avoidedUntilMs = now() + avoidMs
    if (!this.#shipment.body.replayable) throw this.#final(error)
    return this.#instead(error.message)
  }

  #instead(because: string): Uploaded {
    return { because, answerLost: this.#answerLost }
  }

  #final(error: MandateError): MandateError {
    error.answerLost = this.#answerLost
    if (!this.#shipment.body.replayable && error.status !== 412) {
      error.message += '; it was not tried again, because bytes of its stream were taken'
    }
    return error
  }
}

/** Without its cause, which may repeat the signed URL. */
function unanswered(host: string, cause: unknown): NetworkError {
  const { message } = networkError(host, cause)
  return new NetworkError(
    `${message}, where files of this size are brought to the storage: in a browser, the CORS rules of the bucket must let this page PUT them`,
  )
}
