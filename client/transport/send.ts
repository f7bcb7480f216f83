import { NetworkError } from '../errors.ts'
import { isStream } from './body.ts'
import type { Progress, RequestBody } from './transport.ts'

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
  readonly fetch: typeof fetch
}

/** An answer, or how it failed to come. */
export type Outcome =
  | { readonly kind: 'answer'; readonly response: Response }
  /** @param wasSent whether the server may have got all of it */
  | { readonly kind: 'failure'; readonly cause: unknown; readonly wasSent: boolean }

/** @throws the reason of the signal */
export async function send(attempt: Attempt): Promise<Outcome> {
  attempt.signal?.throwIfAborted()
  try {
    return { kind: 'answer', response: await byFetch(attempt) }
  } catch (cause) {
    attempt.signal?.throwIfAborted()
    return { kind: 'failure', cause, wasSent: !neverConnected(cause) }
  }
}

async function byFetch({
  fetch,
  method,
  url,
  headers,
  body,
  size,
  signal,
  ...rest
}: Attempt): Promise<Response> {
  const streamed = body !== null && isStream(body)
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers: { ...headers, ...(streamed && size !== null ? { 'Content-Length': String(size) } : {}) },
    ...(body === null ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
    ...(rest.cache === undefined ? {} : { cache: rest.cache }),
    // A credential is for the server that it was made for, and a redirected POST would become a GET.
    redirect: headers.Authorization === undefined ? 'follow' : 'error',
    referrerPolicy: 'no-referrer',
    ...(streamed ? { duplex: 'half' } : {}),
  }
  return fetch(url, init)
}

/** Errors of Node after which no byte of the request has left; browsers do not tell. */
function neverConnected(error: unknown): boolean {
  const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: unknown }
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(String(code))
}

/** What a failure is to the caller. */
export function networkError(host: string, cause: unknown): NetworkError {
  const { code } = ((cause as { cause?: unknown }).cause ?? {}) as { code?: unknown }
  const why = typeof code === 'string' ? ` (${code})` : ''
  return new NetworkError(`no answer from ${host}${why}`, { cause })
}
