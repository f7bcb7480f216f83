import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { base58 } from '@scure/base'
import { addressOf, didPkh, type KeyKind, p2pkhAddress, publicKeyFromDid } from '../../hub/auth/keys.ts'

/** Somebody with a key. The same name and kind give the same key, always. */
export interface Persona {
  readonly name: string
  readonly kind: KeyKind
  readonly secretKey: Uint8Array
  readonly did: string
  /** The address that the key owns: `1…` for secp256k1, else the did:key identifier. */
  readonly address: string
  /** ECDSA over SHA-256 or Ed25519; 64 bytes. */
  sign(data: Uint8Array): Uint8Array
}

const curves = {
  Ed25519: {
    prefix: [0xed, 0x01],
    publicKey: (secret: Uint8Array) => ed25519.getPublicKey(secret),
    sign: (data: Uint8Array, secret: Uint8Array) => ed25519.sign(data, secret),
  },
  'P-256': {
    prefix: [0x80, 0x24],
    publicKey: (secret: Uint8Array) => p256.getPublicKey(secret, true),
    sign: (data: Uint8Array, secret: Uint8Array) => p256.sign(data, secret),
  },
  secp256k1: {
    prefix: [0xe7, 0x01],
    publicKey: (secret: Uint8Array) => secp256k1.getPublicKey(secret, true),
    sign: (data: Uint8Array, secret: Uint8Array) => secp256k1.sign(data, secret),
  },
} as const

export const keyKinds: readonly KeyKind[] = ['Ed25519', 'P-256', 'secp256k1']

export function persona(name: string, kind: KeyKind = 'Ed25519'): Persona {
  const secretKey = new Uint8Array(createHash('sha256').update(`${name}/${kind}`).digest())
  const curve = curves[kind]
  const did = didKey(kind, curve.publicKey(secretKey))
  return {
    name,
    kind,
    secretKey,
    did,
    // Only when it is asked for: a key that was never looked at is what cost tests need.
    get address() {
      return addressOf(publicKeyFromDid(did))
    },
    sign: (data) => curve.sign(data, secretKey),
  }
}

/** The did:key of raw public key bytes, good or bad. */
export function didKey(kind: KeyKind, publicKey: Uint8Array): string {
  return `did:key:z${base58.encode(Uint8Array.from([...curves[kind].prefix, ...publicKey]))}`
}

/** The did:pkh by which a secp256k1 persona is known where only its address is. */
export function didPkhOf(who: Persona): string {
  return didPkh(p2pkhAddress(publicKeyFromDid(who.did)))
}

/** The owner of the address that most tests are about, a friend, a friend's friend, and somebody with bad intent. */
export const alice = persona('alice')
export const bob = persona('bob')
export const carol = persona('carol')
export const mallory = persona('mallory')
