import { Refusal } from './gcs-refusal.ts'
import type { Described } from './gcs-store.ts'

/** The two parts of a `multipart/related` upload: what the object is, and its bytes. */
export function parseMultipart(contentType: string, body: Buffer): { described: Described; bytes: Buffer } {
  const boundary = /^multipart\/related;.*boundary="?([^";]{1,70})"?/i.exec(contentType)?.[1]
  if (boundary === undefined) throw malformed('no boundary')
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  const first = partFrom(body, 0, `--${boundary}\r\n`)
  const firstEnd = body.indexOf(`\r\n--${boundary}\r\n`, first.start)
  if (firstEnd < 0 || end <= firstEnd) throw malformed('it has not two parts')
  const second = partFrom(body, firstEnd, `\r\n--${boundary}\r\n`)
  if (second.start > end) throw malformed('the second part has no end')
  const described = parseDescribed(body.subarray(first.start, firstEnd))
  if (!/^[\x20-\x7e\r\n]*$/.test(second.headers)) throw malformed('the head of a part is not ASCII')
  const type = /^content-type: *(.*?) *$/im.exec(second.headers)?.[1]
  if (type !== undefined && described.contentType !== undefined && described.contentType !== type) {
    throw new Refusal(
      400,
      'invalid',
      `Content-Type specified in the upload (${type}) does not match Content-Type specified in metadata (${described.contentType}).`,
    )
  }
  if (type !== undefined) described.contentType = type
  return { described, bytes: body.subarray(second.start, end) }
}

/** Checks what a client sent as the JSON of an object. */
export function parseDescribed(body: Buffer): Described {
  if (body.length === 0) return {}
  const value: unknown = parseJson(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('it is no object')
  const { name, contentType, contentEncoding, cacheControl, metadata, md5Hash, crc32c } = value as Record<
    string,
    unknown
  >
  const texts = Object.entries({ name, contentType, contentEncoding, cacheControl, md5Hash, crc32c }).filter(
    ([, text]) => text != null,
  )
  for (const [member, text] of texts) {
    if (typeof text !== 'string') throw malformed(`${member} is no text`)
  }
  return { ...Object.fromEntries(texts), ...(isTexts(metadata) ? { metadata } : {}) }
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw malformed('it is no JSON')
  }
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((member) => typeof member === 'string')
  )
}

function partFrom(body: Buffer, at: number, delimiter: string): { headers: string; start: number } {
  const begin = body.indexOf(delimiter, at)
  const headersEnd = body.indexOf('\r\n\r\n', begin)
  if (begin !== at || headersEnd < 0) throw malformed('a part has no head')
  return {
    headers: body.subarray(begin + delimiter.length, headersEnd).toString(),
    start: headersEnd + 4,
  }
}

function malformed(what: string): Refusal {
  return new Refusal(400, 'parseError', `Malformed body: ${what}.`)
}
