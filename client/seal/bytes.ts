import { base64urlnopad } from '@scure/base'
import { SealError } from './errors.ts'

/** Bytes over memory that is not shared, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

export function utf8(text: string): Bytes {
  return encoder.encode(text)
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Each part behind its length in four bytes, so that no two lists of parts give the same bytes. */
export function framed(...parts: readonly (string | Uint8Array)[]): Bytes {
  return concat(
    ...parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? utf8(part) : part
      return [uint32(bytes.length), bytes]
    }),
  )
}

/** Big-endian. */
export function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  return a.reduce((difference, byte, i) => difference | (byte ^ (b[i] ?? 0)), 0) === 0
}

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** Without padding. */
export function toBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(Uint8Array.from(bytes))
}

/**
 * Takes the one text that stands for those bytes, no other.
 * @param length that it must have; any where it is left out
 * @throws {SealError} `malformed`
 */
export function fromBase64url(text: unknown, length?: number): Bytes {
  try {
    const bytes = Uint8Array.from(base64urlnopad.decode(String(text)))
    if (typeof text === 'string' && (length === undefined || bytes.length === length)) return bytes
  } catch {
    // Told below, without what it held.
  }
  throw new SealError('malformed', 'a member of a sealed file is no base64url of the right length')
}
