import { BadAnswerError } from '../errors.ts'
import type { FileInfo } from './file.ts'

/** Reads what the headers of a reader's answer say of a file. @param size bytes of the whole file */
export function infoFrom(path: string, headers: Headers, size: number): FileInfo {
  const modifiedMs = Date.parse(headers.get('last-modified') ?? '')
  return {
    path,
    etag: etagFrom(headers),
    size,
    contentType: headers.get('content-type') ?? 'application/octet-stream',
    modifiedMs: Number.isNaN(modifiedMs) ? 0 : modifiedMs,
  }
}

/** A proxy that compresses makes etags weak; the hub knows the strong ones. */
export function etagFrom(headers: Headers): string {
  const etag = headers.get('etag')
  if (etag === null) throw new BadAnswerError('the reader gave no ETag')
  return etag.replace(/^W\//, '')
}

/** `null` where it is not said, or says the length of something that was compressed on the way. */
export function lengthFrom(headers: Headers): number | null {
  const length = headers.get('content-length')
  if (length === null || headers.get('content-encoding') !== null) return null
  return /^\d{1,15}$/.test(length) ? Number(length) : null
}
