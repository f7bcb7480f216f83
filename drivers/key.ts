/**
 * The one parser of names. A {@link Key} is made here or nowhere, so that no later code can meet a path
 * that was not checked: `..`, control characters, over-long names and the hub's own records stop here.
 */

declare const brand: unique symbol

/** The name of a bucket: an owner's address. Letters and digits only. */
export type Address = string & { readonly [brand]: 'Address' }

/** A decoded file path inside an address, by the rules of {@link parsePath}. */
export type Path = string & { readonly [brand]: 'Path' }

/**
 * The full name of an object in a driver: `<address>/<path>` or `<address>-auth/<path>`. Non-empty segments
 * joined by single slashes; well-formed Unicode without control characters or backslashes.
 */
export type Key = string & { readonly [brand]: 'Key' }

/** The most UTF-8 bytes that a path may have. */
export const maxPathBytes = 1024
/** The most segments that a path may have. */
export const maxPathSegments = 100
/** The most characters that an address may have; the longest kind (a did:key identifier) has about 70. */
export const maxAddressLength = 128

/** A name that is refused; `message` says which rule it breaks and never repeats the name. */
export class KeyError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KeyError'
  }
}

/** Checks an address. @throws {KeyError} */
export function parseAddress(text: string): Address {
  if (text.length > maxAddressLength)
    throw new KeyError(`the address is longer than ${maxAddressLength} characters`)
  if (!/^[a-zA-Z0-9]+$/.test(text)) throw new KeyError('the address may hold letters and digits only')
  return text as Address
}

/**
 * Decodes a path as it stood in a request target (RFC 3986 percent-encoding, exactly once, as UTF-8) and
 * checks it. Raw bytes above 0x7F are taken as UTF-8 too: Node hands them on as Latin-1 characters.
 * One trailing slash is dropped.
 * @throws {KeyError} on malformed escapes, malformed UTF-8, or by the rules of {@link parsePath}
 */
export function decodePath(raw: string): Path {
  const text = percentDecode(raw)
  return parsePath(text.endsWith('/') ? text.slice(0, -1) : text)
}

/** Checks a decoded path by PROTOCOL 1.7. @throws {KeyError} naming the rule that it breaks */
export function parsePath(text: string): Path {
  if (text === '') throw new KeyError('the path is empty')
  checkText(text, 'path')
  const segments = text.split('/')
  if (segments.length > maxPathSegments)
    throw new KeyError(`the path has more than ${maxPathSegments} segments`)
  for (const segment of segments) {
    if (segment === '') throw new KeyError('the path has an empty segment (two slashes in a row)')
    if (segment === '.' || segment === '..') throw new KeyError('the path has a "." or ".." segment')
  }
  if (text.startsWith('.gaia-metadata'))
    throw new KeyError('the path begins with ".gaia-metadata", a reserved name')
  return text as Path
}

/**
 * Checks a prefix to list by: the beginning of a path, cut anywhere (`''`, `pho`, `photos/`, `photos/20`).
 * @throws {KeyError}
 */
export function parsePrefix(text: string): string {
  checkText(text, 'prefix')
  const segments = text.split('/')
  for (const segment of segments.slice(0, -1)) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new KeyError('the prefix has an empty, "." or ".." segment')
    }
  }
  return text
}

/** The key of an owner's file. */
export function fileKey(address: Address, path: Path): Key {
  return `${address}/${path}` as Key
}

/**
 * The key of a record that the hub keeps about an address, beside its files: `<address>-auth/<name>`. No file
 * can have this key, since an address has no hyphen.
 * @param name segments of letters, digits, dots, hyphens and underscores
 */
export function authKey(address: Address, name: string): Key {
  parsePath(name)
  return `${address}-auth/${name}` as Key
}

/** Order of keys and of everything that is listed: by UTF-8 bytes, which is by code point. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

/** UTF-16 puts surrogates (U+10000 and above) before U+E000…U+FFFF; UTF-8 puts them after. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

const controlCharacter = /\p{Cc}/u

function checkText(text: string, what: string): void {
  // Length in UTF-16 units bounds the work before anything else looks at the text.
  if (text.length > maxPathBytes || Buffer.byteLength(text) > maxPathBytes) {
    throw new KeyError(`the ${what} is longer than ${maxPathBytes} bytes`)
  }
  if (!text.isWellFormed()) throw new KeyError(`the ${what} is not well-formed Unicode`)
  if (controlCharacter.test(text)) throw new KeyError(`the ${what} holds a control character`)
  if (text.includes('\\')) throw new KeyError(`the ${what} holds a backslash`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function percentDecode(raw: string): string {
  // Three characters an escape at most: anything longer cannot be a path that is allowed.
  if (raw.length > maxPathBytes * 3 + 1) throw new KeyError(`the path is longer than ${maxPathBytes} bytes`)
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) throw new KeyError('the path has a malformed percent-escape')
  const bytes = Buffer.from(
    raw.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  try {
    return utf8.decode(bytes)
  } catch {
    throw new KeyError('the path is not valid UTF-8')
  }
}
