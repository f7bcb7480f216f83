import { hash } from 'node:crypto'
import { base32nopad } from '@scure/base'

/** CIDv1, codec raw, multihash sha2-256 of 32 bytes. */
const cidHead = Uint8Array.of(0x01, 0x55, 0x12, 0x20)

/** The last of the 58 characters holds three bits, so that its two low ones are zero. */
const cidPattern = /^bafkrei[a-z2-7]{51}[aeimquy4]$/

/** The CID of a token, 59 characters: CIDv1, raw, sha2-256 of the whole JWT, base32 in lower case. */
export function cidOf(jwt: string): string {
  const digest = hash('sha256', jwt, 'buffer')
  return `b${base32nopad.encode(Buffer.concat([cidHead, digest])).toLowerCase()}`
}

/** Whether a text has the one form of a CID that names a token (PROTOCOL 2.2). */
export function isCid(text: string): boolean {
  return cidPattern.test(text)
}

/**
 * What a revocation is kept under: SHA-256 of `header.payload`, 64 hex digits. A signature that is encoded in
 * another way gives another CID, but the same revocation id.
 */
export function revocationIdOf(jwt: string): string {
  return hash('sha256', signingInput(jwt), 'hex')
}

/** The text that the signature of a compact JWS is over: everything before its last dot. */
export function signingInput(jwt: string): string {
  return jwt.slice(0, Math.max(0, jwt.lastIndexOf('.')))
}

/** The bytes of the signature of a compact JWS. */
export function signatureBytes(jwt: string): Uint8Array {
  return Buffer.from(jwt.slice(jwt.lastIndexOf('.') + 1), 'base64url')
}
