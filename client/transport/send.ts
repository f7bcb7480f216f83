import { NetworkError } from '../errors.ts'
import { isStream, type Outgoing, outgoing } from './outgoing.ts'
import type { Progress, RequestBody } from './transport.ts'
import { canUseXhr, sendByXhr } from './xhr.ts'

/** One try of a request. */
export interface Attempt {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody | null
  /** Bytes of the body; `null` where nobody knows. */
  readonly size: number | null
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly cache: RequestCache | undefined
  /** The try is given up when nothing has moved for so long, before the answer begins. */
  readonly timeoutMs: number
  /** `null` for the platform's own ways. */
  readonly fetch: typeof fetch | null
}

/** An answer, or how it failed to come; `wasSent` tells whether the server may have got all of the request. */
export type Outcome =
  | { readonly kind: 'answer'; readonly response: Response }
  | { readonly kind: 'failure'; readonly cause: unknown; readonly wasSent: boolean }

/**
 * Sends a request once.
 * @throws the reason of the signal
 */
export async function send(attempt: Attempt): Promise<Outcome> {
  const { signal } = attempt
  signal?.throwIfAborted()
  const watch = new Watch(attempt.timeoutMs)
  const body = outgoing(attempt, () => watch.touch())
  try {
    return { kind: 'answer', response: await transfer(attempt, body, watch) }
  } catch (cause) {
    signal?.throwIfAborted()
    if (body.failure !== null) throw body.failure
    return { kind: 'failure', cause, wasSent: !neverConnected(cause) }
  } finally {
    watch.stop()
  }
}

async function transfer(attempt: Attempt, sent: Outgoing, watch: Watch): Promise<Response> {
  const signal = attempt.signal === undefined ? watch.signal : AbortSignal.any([attempt.signal, watch.signal])
  const body = await sent.body
  if (attempt.fetch === null && body !== null && canUseXhr()) {
    return sendByXhr({ ...attempt, body, signal, onProgress: sent.onProgress })
  }
  return sendByFetch(attempt, body, signal)
}

function sendByFetch(attempt: Attempt, body: RequestBody | null, signal: AbortSignal): Promise<Response> {
  const { fetch, method, url, headers, size, cache } = attempt
  const streamed = body !== null && isStream(body)
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers: streamed && size !== null ? { ...headers, 'Content-Length': String(size) } : headers,
    signal,
    ...(body === null ? {} : { body }),
    ...(cache === undefined ? {} : { cache }),
    // A credential, or a file, is for the server that it was meant for, and a redirected POST would become a GET.
    redirect: headers.Authorization === undefined && body === null ? 'follow' : 'error',
    referrerPolicy: 'no-referrer',
    ...(streamed ? { duplex: 'half' } : {}),
  }
  return (fetch ?? globalThis.fetch)(url, init)
}

/** Ends a try in which nothing moves. */
class Watch {
  readonly #controller = new AbortController()
  readonly #timeoutMs: number
  #timer: ReturnType<typeof setTimeout>

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.#timer = this.#start()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  touch(): void {
    clearTimeout(this.#timer)
    this.#timer = this.#start()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(new NetworkError('nothing moved')), this.#timeoutMs)
  }
}

/** Errors of Node after which no byte of the request has left; browsers do not tell. */
function neverConnected(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(codeOf(error) ?? '')
}

/** What a failure is to the caller. */
export function networkError(host: string, cause: unknown): NetworkError {
  const code = codeOf(cause)
  return new NetworkError(`no answer from ${host}${code === null ? '' : ` (${code})`}`, { cause })
}

function codeOf(error: unknown): string | null {
  const { cause, code } = error as { cause?: { code?: unknown } | null; code?: unknown }
  const found = cause?.code ?? code
  return typeof found === 'string' ? found : null
}
