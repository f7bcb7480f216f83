import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ObjectInfo } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { formatHttpDate } from './http-date.ts'
import type { ByteRange } from './range.ts'

/** What a foreign bucket's object gets where its type cannot stand in a header. */
const fallbackType = 'application/octet-stream'

/** The headers that tell versions apart; a 304 needs no others (RFC 9110 section 15.4.5). */
export function setVersionHeaders(res: ServerResponse, info: ObjectInfo, cacheControl: string): void {
  res.setHeader('ETag', `"${info.etag}"`)
  res.setHeader('Last-Modified', formatHttpDate(info.lastModifiedMs))
  res.setHeader('Cache-Control', cacheControl)
  res.setHeader('Accept-Ranges', 'bytes')
}

/** The headers of what follows, and the status: 206 with a range, else 200. */
export function setContentHeaders(res: ServerResponse, info: ObjectInfo, range: ByteRange | null): void {
  res.statusCode = range === null ? 200 : 206
  setContentType(res, info.contentType)
  res.setHeader('Content-Length', lengthOf(info, range))
  if (range !== null) res.setHeader('Content-Range', `bytes ${range.first}-${range.last}/${info.size}`)
}

/** Verbatim (PROTOCOL 1.3), unless Node refuses to send it. */
function setContentType(res: ServerResponse, contentType: string): void {
  try {
    res.setHeader('Content-Type', contentType || fallbackType)
  } catch {
    res.setHeader('Content-Type', fallbackType)
  }
}

function lengthOf(info: ObjectInfo, range: ByteRange | null): number {
  return range === null ? info.size : range.last - range.first + 1
}

/**
 * Streams the bytes at the client's pace. A client that goes away destroys the body. A body that fails, or has
 * another length than was announced, cuts the connection off: a short answer must not look whole, and the rest of
 * a long one must not look like the next answer.
 * @throws the error of either end
 */
export async function sendBytes(
  res: ServerResponse,
  body: Readable,
  info: ObjectInfo,
  range: ByteRange | null,
) {
  let left = lengthOf(info, range)
  // Both listeners run before pipeline's own, which would write the chunk or end the answer.
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) res.destroy()
  })
  body.once('end', () => {
    if (left > 0) res.destroy()
  })
  await pipeline(body, res).catch((error: unknown) => {
    throw left < 0 ? wrongLength() : error
  })
  if (left > 0) throw wrongLength()
}

function wrongLength(): DriverError {
  return new DriverError('backend', 'the content has another length than was announced')
}
