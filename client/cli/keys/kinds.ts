import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { addressOfDid, didKeyOf } from '../../did.ts'
import type { Signer } from '../../signers/signer.ts'

/** The kinds of key that may own an address (PROTOCOL 1.1). */
export const keyKinds = ['secp256k1', 'ed25519', 'p256'] as const
export type KeyKind = (typeof keyKinds)[number]

interface Curve {
  readonly jwtAlg: 'ES256K' | 'EdDSA' | 'ES256'
  /** 33 bytes compressed, or the 32 of Ed25519. */
  publicKey(privateKey: Uint8Array): Uint8Array
  /** 64 bytes: `r || s`, or `R || S` of Ed25519. */
  sign(message: Uint8Array, privateKey: Uint8Array): Uint8Array
  isPrivateKey(bytes: Uint8Array): boolean
}

export const curves: Readonly<Record<KeyKind, Curve>> = {
  secp256k1: {
    jwtAlg: 'ES256K',
    publicKey: (key) => secp256k1.getPublicKey(key, true),
    sign: (message, key) => secp256k1.sign(message, key),
    isPrivateKey: (bytes) => secp256k1.utils.isValidSecretKey(bytes),
  },
  ed25519: {
    jwtAlg: 'EdDSA',
    publicKey: (key) => ed25519.getPublicKey(key),
    sign: (message, key) => ed25519.sign(message, key),
    isPrivateKey: (bytes) => bytes.length === 32,
  },
  p256: {
    jwtAlg: 'ES256',
    publicKey: (key) => p256.getPublicKey(key, true),
    sign: (message, key) => p256.sign(message, key),
    isPrivateKey: (bytes) => p256.utils.isValidSecretKey(bytes),
  },
}

/** `did:key` of a private key, and the address that it writes to by itself. */
export function publicNamesOf(kind: KeyKind, privateKey: Uint8Array): { did: string; address: string } {
  const curve = curves[kind]
  const did = didKeyOf({ jwtAlg: curve.jwtAlg, publicKey: curve.publicKey(privateKey) })
  return { did, address: addressOfDid(did) }
}

/** Signs with a private key of any kind; the key stays behind the closure. */
export function plainSigner(kind: KeyKind, privateKey: Uint8Array): Signer {
  const curve = curves[kind]
  const { did } = publicNamesOf(kind, privateKey)
  return { jwtAlg: curve.jwtAlg, did: () => did, sign: (bytes) => curve.sign(bytes, privateKey) }
}
