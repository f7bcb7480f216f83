import { WireError } from '../http/errors.ts'

/** The most characters of a Content-Type (PROTOCOL 1.3). */
export const maxContentTypeLength = 1024

/**
 * The Content-Type to keep, verbatim; `application/octet-stream` where none is sent. Node hands header values on
 * as Latin-1 and would send them back so; those outside printable ASCII could not be told again by every store.
 * @throws {WireError} `invalid_input`
 */
export function readContentType(header: string | undefined): string {
  const contentType = header?.trim()
  if (contentType === undefined || contentType === '') return 'application/octet-stream'
  if (contentType.length > maxContentTypeLength) {
    throw new WireError('invalid_input', `the Content-Type is longer than ${maxContentTypeLength} characters`)
  }
  if (!/^[\t\x20-\x7e]+$/.test(contentType)) {
    throw new WireError('invalid_input', 'the Content-Type holds characters outside of printable ASCII')
  }
  return contentType
}
