import { sha256 } from '@noble/hashes/sha2.js'
import { base32nopad } from '@scure/base'

/** CIDv1, codec raw, multihash sha2-256 of 32 bytes. */
const cidHead = Uint8Array.of(0x01, 0x55, 0x12, 0x20)

/** The last character holds two bits of padding, which are zero. */
const cidPattern = /^bafkrei[a-z2-7]{51}[aeimquy4]$/

/** The CID that names a token: CIDv1, raw, sha2-256 of the whole JWT, base32 in lower case; 59 characters. */
export function cidOf(jwt: string): string {
  const bytes = new Uint8Array(36)
  bytes.set(cidHead)
  bytes.set(sha256(new TextEncoder().encode(jwt)), cidHead.length)
  return `b${base32nopad.encode(bytes).toLowerCase()}`
}

/** Whether a text has the one form of a CID that names a token. */
export function isCid(text: string): boolean {
  return cidPattern.test(text)
}
