/**
 * Content types that a header of S3 carries unchanged go there and nowhere else. Others (with bytes above ASCII, or
 * with spaces that signing and servers squeeze) are kept in metadata, and the header has what can be said of them.
 */

/** Of Latin-1 text, the most that HTTP can bring; and of any text. In base64. */
const latin1Name = 'mandate-type'
const utf8Name = 'mandate-type-utf8'
/** Metadata that says of which type an object is. */
export const typeNames = [latin1Name, utf8Name] as const

const plain = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/

export interface KeptType {
  ContentType: string
  Metadata: Record<string, string>
}

export function typeInput(contentType: string): KeptType {
  if (plain.test(contentType)) return { ContentType: contentType, Metadata: {} }
  const squeezed = contentType
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/ +/g, ' ')
    .trim()
  return {
    ContentType: squeezed === '' ? 'application/octet-stream' : squeezed,
    Metadata: /^[\0-\xff]*$/.test(contentType)
      ? { [latin1Name]: Buffer.from(contentType, 'latin1').toString('base64') }
      : { [utf8Name]: Buffer.from(contentType).toString('base64') },
  }
}

/** The content type that an object was written with; what S3 itself says without one where it says nothing. */
export function typeFrom(header: string | undefined, metadata: Record<string, string> | undefined): string {
  const latin1 = metadata?.[latin1Name]
  if (latin1 !== undefined) return Buffer.from(latin1, 'base64').toString('latin1')
  const utf8 = metadata?.[utf8Name]
  if (utf8 !== undefined) return Buffer.from(utf8, 'base64').toString()
  return header === undefined || header === '' ? 'binary/octet-stream' : header
}
