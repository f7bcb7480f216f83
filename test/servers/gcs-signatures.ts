import { createHash, type KeyObject, verify } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from './gcs-refusal.ts'

/** Who may sign: public keys by e-mail. */
export type Accounts = ReadonlyMap<string, KeyObject>

/** What Google allows: seven days. */
const maxSeconds = 604_800

/** Whether a request shows a signature in its query, in place of a header. */
export function isSigned(query: URLSearchParams): boolean {
  return query.has('X-Goog-Signature')
}

/**
 * Checks a signed URL, version 4 (https://cloud.google.com/storage/docs/authentication/canonical-requests): who signed,
 * for when, and that the request is the one that was signed, to its headers.
 * @throws {Refusal}
 */
export function checkSignature(req: IncomingMessage, accounts: Accounts, nowMs: number): void {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://storage')
  const parameter = (name: string) => {
    const value = searchParams.get(`X-Goog-${name}`)
    if (value === null) throw malformed(`X-Goog-${name} is missing`)
    return value
  }
  if (parameter('Algorithm') !== 'GOOG4-RSA-SHA256') throw malformed('the algorithm is not known')
  checkTime(parameter('Date'), parameter('Expires'), nowMs)
  const [email, ...scope] = parameter('Credential').split('/')
  if (scope.join('/') !== `${parameter('Date').slice(0, 8)}/auto/storage/goog4_request`) {
    throw malformed('the scope is not that of the date')
  }
  const names = parameter('SignedHeaders').split(';')
  const canonical = [
    req.method,
    pathname,
    canonicalQuery(searchParams),
    canonicalHeaders(req, names),
    names.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['GOOG4-RSA-SHA256', parameter('Date'), scope.join('/'), hash].join('\n')
  const key = accounts.get(email ?? '')
  const signature = Buffer.from(parameter('Signature'), 'hex')
  if (key === undefined || !verify('sha256', Buffer.from(text), key, signature)) {
    const message = 'Access denied. The request signature we calculated does not match yours.'
    throw new Refusal(403, 'SignatureDoesNotMatch', message)
  }
}

function checkTime(date: string, expires: string, nowMs: number): void {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const signedMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  const seconds = Number(expires)
  if (Number.isNaN(signedMs) || !/^\d{1,6}$/.test(expires) || seconds < 1 || seconds > maxSeconds) {
    throw malformed('the times are none')
  }
  if (nowMs < signedMs - 900_000) throw new Refusal(403, 'AccessDenied', 'The request is of a later time.')
  if (nowMs > signedMs + seconds * 1000) {
    throw new Refusal(400, 'ExpiredToken', 'The provided token has expired.')
  }
}

/** Headers that the storage acts on must be signed, and what is signed must be there. */
function canonicalHeaders({ headers }: IncomingMessage, names: readonly string[]): string {
  const unsigned = Object.keys(headers).find((name) => /^x-(goog|amz)-/.test(name) && !names.includes(name))
  if (unsigned !== undefined) throw malformed(`${unsigned} is in the request and not signed`)
  if (!names.includes('host')) throw malformed('the host is not signed')
  const lines = names.map((name) => {
    const value = headers[name]
    if (typeof value !== 'string') throw malformed(`${name} is signed and not in the request`)
    // The library signs the host without a port: at Google's there is none.
    return `${name}:${(name === 'host' ? value.replace(/:\d+$/, '') : value).trim().replace(/\s{2,}/g, ' ')}\n`
  })
  return lines.join('')
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Goog-Signature')
    .map(([name, value]) => `${escapeAll(name)}=${escapeAll(value)}`)
    .sort()
    .join('&')
}

function escapeAll(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/**
 * "x-goog-content-length-range: <least>,<most>", held to by what came, whatever was announced.
 * @throws {Refusal}
 */
export function checkLengthRange(header: string | string[] | undefined, bytes: number): void {
  if (header === undefined) return
  const [, least, most] = /^(\d+),(\d+)$/.exec(String(header)) ?? []
  if (least === undefined) throw malformed('x-goog-content-length-range is none')
  if (bytes < Number(least)) throw new Refusal(400, 'EntityTooSmall', 'Your proposed upload is too small.')
  if (bytes > Number(most)) throw new Refusal(400, 'EntityTooLarge', 'Your proposed upload is too large.')
}

/** Errors of the XML API. */
export function refuseInXml(res: ServerResponse, { status, reason, message, notModified }: Refusal): void {
  if (notModified) {
    res.writeHead(304).end()
    return
  }
  const body = `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${reason}</Code><Message>${message}</Message></Error>`
  res.writeHead(status, { 'Content-Type': 'application/xml; charset=UTF-8' }).end(body)
}

function malformed(details: string): Refusal {
  return new Refusal(400, 'MalformedSecurityHeader', `Your request has a malformed header: ${details}.`)
}
