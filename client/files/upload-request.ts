import { BadAnswerError } from '../errors.ts'
import { isWebUrl } from '../transport/hub-info.ts'

/** The one request that brings a file to the storage, as a hub tells it. */
export interface UploadRequest {
  readonly url: string
  /** All but `Content-Length`, which whoever sends a body sets by itself. */
  readonly headers: Readonly<Record<string, string>>
  /** Until when it may begin, in milliseconds since 1970. */
  readonly expiresMs: number
  /** The header of the answer that is the etag of the new version; `null` where none is. */
  readonly etagHeader: string | null
}

/** What a storage may want to be told. A hub must not have us say more to whoever it sends us to. */
const headerName = /^(?:content-type|content-length|cache-control|if-match|if-none-match|x-[\w-]{1,100})$/i
const maxHeaders = 64

/**
 * Reads the answer to `POST /upload`.
 * @throws {BadAnswerError} where it is no request that brings a file to a storage, as well guarded as those to the hub
 */
export function readUploadRequest(
  { method, url, headers, expires, etagHeader }: Readonly<Record<string, unknown>>,
  hubUrl: string,
): UploadRequest {
  const isRequest = method === 'PUT' && typeof url === 'string' && isSafe(url, hubUrl)
  if (!isRequest || !isHeaders(headers))
    throw new BadAnswerError('the hub gave no direct upload that can be sent')
  const sent = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length')
  return {
    url,
    headers: Object.fromEntries(sent),
    expiresMs: typeof expires === 'number' ? expires * 1000 : Number.POSITIVE_INFINITY,
    etagHeader: typeof etagHeader === 'string' && /^[\w-]{1,100}$/.test(etagHeader) ? etagHeader : null,
  }
}

/** What goes to the hub under TLS goes on under it. */
function isSafe(url: string, hubUrl: string): boolean {
  if (!isWebUrl(url)) return false
  const { protocol, username, password } = new URL(url)
  return username + password === '' && (protocol === 'https:' || new URL(hubUrl).protocol === 'http:')
}

function isHeaders(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return false
  const headers = Object.entries(value)
  return (
    headers.length <= maxHeaders &&
    headers.every(([name, text]) => headerName.test(name) && typeof text === 'string')
  )
}

/** The etag in an answer of the storage, in the form that the hub gives it; `null` where it cannot be read. */
export function etagIn(headers: Headers, header: string | null): string | null {
  const etag = (header === null ? null : headers.get(header))?.replace(/^W\//, '').replaceAll('"', '')
  return etag === undefined || !/^[\x21-\x7e]{1,256}$/.test(etag) ? null : `"${etag}"`
}
