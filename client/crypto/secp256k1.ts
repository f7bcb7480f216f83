import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { getPublicKey, getSharedSecret, hashes, Point, sign, utils, verify } from '@noble/secp256k1'
import { readDer, writeDer } from './der.ts'

/** All that is done with secp256k1, which WebCrypto lacks, in one place. */

/** How a signature is written: 64 bytes, r and s; or ASN.1 DER. */
export type SignatureFormat = 'compact' | 'der'

/** A fresh private key: 32 bytes. */
export function randomPrivateKey(): Uint8Array {
  return utils.randomSecretKey()
}

export function isPrivateKey(bytes: Uint8Array): boolean {
  return utils.isValidSecretKey(bytes)
}

/** Compressed, 33 bytes; or uncompressed, 65. */
export function publicKeyOf(privateKey: Uint8Array, isCompressed = true): Uint8Array {
  return getPublicKey(privateKey, isCompressed)
}

/** A compressed point as 65 bytes. @throws for what is no point of the curve */
export function expandPoint(publicKey: Uint8Array): Uint8Array {
  return Point.fromBytes(publicKey).toBytes(false)
}

/** ECDSA over SHA-256 of the bytes, with a low s (RFC 6979, RFC 8812). */
export function signEcdsa(bytes: Uint8Array, privateKey: Uint8Array, format: SignatureFormat): Uint8Array {
  hashWithNoble()
  const signature = sign(bytes, privateKey)
  return format === 'der' ? writeDer(signature) : signature
}

/** Takes either s; false for whatever is no signature or no key. */
export function verifyEcdsa(
  signature: Uint8Array,
  bytes: Uint8Array,
  publicKey: Uint8Array,
  format: SignatureFormat,
): boolean {
  hashWithNoble()
  try {
    return verify(format === 'der' ? readDer(signature) : signature, bytes, publicKey, { lowS: false })
  } catch {
    return false
  }
}

/**
 * The x coordinate of the shared point: 32 bytes.
 * @throws where the public key is no point of the curve
 */
export function sharedX(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(getSharedSecret(privateKey, publicKey, true).subarray(1))
}

/** The library brings no hashes. At the first use, so that whoever uses none of this does not load it. */
function hashWithNoble(): void {
  hashes.sha256 ??= sha256
  hashes.hmacSha256 ??= (key, message) => hmac(sha256, key, message)
}
