import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { secp256k1 as nobleSecp256k1 } from '@noble/curves/secp256k1.js'
import { isUnsafeEd25519Point } from '../../client/protocol/ed25519.ts'
import type { KeyKind, PublicKey } from './keys.ts'

/** What the two implementations of secp256k1 have in common here. */
interface Secp256k1 {
  /** Compressed keys only; `false` for anything that is no point of the curve. */
  isPoint(bytes: Uint8Array): boolean
  /** Signature: 64 bytes, r and s, either s. */
  verifyDigest(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
}

interface NativeSecp256k1 {
  publicKeyVerify(publicKey: Uint8Array): boolean
  signatureNormalize(signature: Uint8Array): Uint8Array
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
}

/** Both arguments of a signature's size and key's size that the caller has checked. */
type VerifyEd25519 = (signature: Uint8Array, data: Uint8Array, key: PublicKey) => boolean

interface Implementations {
  readonly secp256k1: Secp256k1
  readonly verifyEd25519: VerifyEd25519
}

const portable: Implementations = { secp256k1: portableSecp256k1(), verifyEd25519: portableEd25519 }
const fastest: Implementations = {
  secp256k1: nativeSecp256k1() ?? portable.secp256k1,
  verifyEd25519: nativeEd25519() ?? portable.verifyEd25519,
}

/**
 * Verifies a signature over `data`: ECDSA with SHA-256 (ES256, ES256K: RFC 7518 3.4, RFC 8812) or Ed25519
 * (RFC 8032). Any input of the wrong size or range is `false`, never an error.
 * @param signature 64 bytes: r and s, either s; or R and S with S below the group's order and R not of small order
 */
export function verifySignature(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  return verifyWith(fastest, key, data, signature)
}

/** The same as on a platform that no addon was built for; the answers must be the same, too. */
export function verifySignaturePortably(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  return verifyWith(portable, key, data, signature)
}

function verifyWith(
  { secp256k1, verifyEd25519 }: Implementations,
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false
  switch (key.kind) {
    case 'secp256k1':
      return secp256k1.verifyDigest(sha256(data), signature, key.bytes)
    case 'P-256':
      return verify('sha256', data, { key: keyObject(key), dsaEncoding: 'ieee-p1363' }, signature)
    case 'Ed25519':
      return verifyEd25519(signature, data, key)
  }
}

/** Whether compressed bytes are a point of an ECDSA curve. */
export function isCurvePoint(kind: Exclude<KeyKind, 'Ed25519'>, bytes: Uint8Array): boolean {
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return false
  if (kind === 'secp256k1') return fastest.secp256k1.isPoint(bytes)
  try {
    importSpki(kind, bytes)
    return true
  } catch {
    return false
  }
}

/** DER of SubjectPublicKeyInfo up to the key's own bytes (RFC 5480, RFC 8410). */
const spkiHead = {
  'P-256': Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
  Ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
} as const

/** Building a KeyObject costs as much as a verification. */
const keyObjects = new WeakMap<PublicKey, KeyObject>()

function keyObject(key: PublicKey): KeyObject {
  const known = keyObjects.get(key)
  if (known !== undefined) return known
  const made = importSpki(key.kind === 'Ed25519' ? 'Ed25519' : 'P-256', key.bytes)
  keyObjects.set(key, made)
  return made
}

function importSpki(kind: keyof typeof spkiHead, bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiHead[kind], bytes]), format: 'der', type: 'spki' })
}

/**
 * libsodium where its prebuilt addon loads: twice as fast as OpenSSL. It refuses S from the group's order on, and an
 * R of small order.
 */
function nativeEd25519(): VerifyEd25519 | null {
  try {
    const sodium = createRequire(import.meta.url)('sodium-native') as typeof import('sodium-native')
    return (signature, data, { bytes }) =>
      sodium.crypto_sign_verify_detached(asBuffer(signature), asBuffer(data), asBuffer(bytes))
  } catch {
    // No prebuilt addon for this platform: what is made of OpenSSL gives the same answers.
    return null
  }
}

/** The same bytes, not a copy. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function portableEd25519(signature: Uint8Array, data: Uint8Array, key: PublicKey): boolean {
  if (!isBelowEd25519Order(signature.subarray(32)) || isUnsafeEd25519Point(signature.subarray(0, 32)))
    return false
  return verify(null, data, keyObject(key), signature)
}

const ed25519Order = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')

function isBelowEd25519Order(s: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (s[i] ?? 0) - (ed25519Order[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** libsecp256k1 where its prebuilt addon loads: about 30 times as fast as any portable code. */
function nativeSecp256k1(): Secp256k1 | null {
  let native: NativeSecp256k1
  try {
    native = createRequire(import.meta.url)('secp256k1/bindings.js') as NativeSecp256k1
  } catch {
    // No prebuilt addon for this platform: the portable implementation gives the same answers.
    return null
  }
  return {
    isPoint: (bytes) => native.publicKeyVerify(bytes),
    verifyDigest(digest, signature, publicKey) {
      try {
        // libsecp256k1 takes the low s only. It throws for r or s outside the group's order.
        return native.ecdsaVerify(native.signatureNormalize(Uint8Array.from(signature)), digest, publicKey)
      } catch {
        return false
      }
    },
  }
}

function portableSecp256k1(): Secp256k1 {
  return {
    isPoint: (bytes) => nobleSecp256k1.utils.isValidPublicKey(bytes, true),
    verifyDigest(digest, signature, publicKey) {
      try {
        return nobleSecp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: false })
      } catch {
        return false
      }
    },
  }
}

function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer')
}
