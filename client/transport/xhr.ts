import type { Progress, RequestBody } from './transport.ts'

interface XhrRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
}

/** Whether there is an XMLHttpRequest: the one way in which a browser tells how far an upload is. */
export function canUseXhr(): boolean {
  return 'XMLHttpRequest' in globalThis
}

/**
 * Sends a body by XMLHttpRequest and gives the answer as `fetch` would.
 * @throws TypeError where no answer came, or one from elsewhere; or the reason of the signal
 */
export function sendByXhr({ method, url, headers, body, signal, onProgress }: XhrRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open(method, url)
    xhr.responseType = 'arraybuffer'
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    xhr.upload.onprogress = ({ loaded, lengthComputable, total }) =>
      onProgress({ loaded, total: lengthComputable ? total : null })
    const abort = () => xhr.abort()
    signal.addEventListener('abort', abort)
    xhr.onloadend = () => {
      signal.removeEventListener('abort', abort)
      if (signal.aborted) reject(signal.reason as Error)
      else if (xhr.status === 0 || isElsewhere(xhr, url)) reject(new TypeError('no answer'))
      else resolve(answerOf(xhr))
    }
    xhr.send(body as XMLHttpRequestBodyInit)
  })
}

/** XMLHttpRequest follows redirects; a request with a credential is meant for one server. */
function isElsewhere({ responseURL }: XMLHttpRequest, url: string): boolean {
  return responseURL !== '' && new URL(responseURL).origin !== new URL(url).origin
}

function answerOf(xhr: XMLHttpRequest): Response {
  const headers = new Headers()
  for (const line of xhr.getAllResponseHeaders().split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  // A status without content takes no body, not even an empty one (Fetch standard, "null body status").
  const isBodiless = [204, 205, 304].includes(xhr.status)
  return new Response(isBodiless ? null : (xhr.response as ArrayBuffer), { status: xhr.status, headers })
}
