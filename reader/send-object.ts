import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { ObjectInfo } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { quoteEtag } from '../http/etag.ts'
import { formatHttpDate } from './http-date.ts'
import type { ByteRange } from './range.ts'

/** What a foreign bucket's object gets where its type cannot stand in a header. */
const fallbackType = 'application/octet-stream'

/** The headers that tell versions apart; a 304 needs no others (RFC 9110 section 15.4.5). */
export function setVersionHeaders(res: ServerResponse, info: ObjectInfo, cacheControl: string): void {
  res.setHeader('ETag', quoteEtag(info.etag))
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
 *
 * By `pipe`, not `pipeline`: that makes an AbortController, and aborts it, for every answer, which is a fifth of
 * the CPU time of a small file.
 * @throws the error of the body, or one of the code `ERR_STREAM_PREMATURE_CLOSE` when the client went away
 */
export function sendBytes(
  res: ServerResponse,
  body: Readable,
  info: ObjectInfo,
  range: ByteRange | null,
): Promise<void> {
  let left = lengthOf(info, range)
  return new Promise((resolve, reject) => {
    const cutOff = (error: Error) => {
      reject(error)
      res.destroy()
    }
    // Before pipe's own listeners, which would write the chunk or end the answer.
    body.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) cutOff(wrongLength())
    })
    body.once('end', () => {
      if (left > 0) cutOff(wrongLength())
    })
    // Stays: a body may fail again after it was destroyed, and nobody else listens.
    body.on('error', cutOff)
    body.once('close', () => {
      if (!body.readableEnded) cutOff(wrongLength())
    })
    res.once('finish', resolve)
    res.once('close', () => {
      reject(new ClientGone())
      body.destroy()
    })
    body.pipe(res)
  })
}

/** The code is that of Node's own streams. */
class ClientGone extends Error {
  readonly code = 'ERR_STREAM_PREMATURE_CLOSE'

  constructor() {
    super('the client went away')
  }
}

function wrongLength(): DriverError {
  return new DriverError('backend', 'the content has another length than was announced')
}
