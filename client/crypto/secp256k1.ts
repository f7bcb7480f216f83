import { secp256k1 } from '@noble/curves/secp256k1.js'

/**
 * All that is done with secp256k1, which WebCrypto lacks, in one place: the largest library of the bundle is behind
 * it.
 */

/** How a signature is written: 64 bytes, r and s; or ASN.1 DER. */
export type SignatureFormat = 'compact' | 'der'

/** A fresh private key: 32 bytes. */
export function randomPrivateKey(): Uint8Array {
  return secp256k1.utils.randomSecretKey()
}

export function isPrivateKey(bytes: Uint8Array): boolean {
  return secp256k1.utils.isValidSecretKey(bytes)
}

/** Compressed: 33 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return secp256k1.getPublicKey(privateKey, true)
}

/** ECDSA over SHA-256 of the bytes, with a low s (RFC 6979, RFC 8812). */
export function signEcdsa(bytes: Uint8Array, privateKey: Uint8Array, format: SignatureFormat): Uint8Array {
  return secp256k1.sign(bytes, privateKey, { format })
}

/** Takes either s; false for whatever is no signature or no key. */
export function verifyEcdsa(
  signature: Uint8Array,
  bytes: Uint8Array,
  publicKey: Uint8Array,
  format: SignatureFormat,
): boolean {
  try {
    return secp256k1.verify(signature, bytes, publicKey, { format, lowS: false })
  } catch {
    return false
  }
}

/**
 * The x coordinate of the shared point: 32 bytes.
 * @throws where the public key is no point of the curve
 */
export function sharedX(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(secp256k1.getSharedSecret(privateKey, publicKey, true).subarray(1))
}
