import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { getPublicKeyFromPrivate, publicKeyToBtcAddress } from '@stacks/encryption'

/** Somebody with a secp256k1 key; the same name is the same key in every run. */
export interface Person {
  readonly name: string
  /** 64 hex digits. */
  readonly privateKeyHex: string
  /** 66 hex digits, compressed. */
  readonly publicKeyHex: string
  /** `1…`, as Stacks' own library computes it. */
  readonly address: string
}

export function person(name: string): Person {
  const privateKeyHex = createHash('sha256').update(`a person of the tests: ${name}`).digest('hex')
  const publicKeyHex = getPublicKeyFromPrivate(privateKeyHex)
  return { name, privateKeyHex, publicKeyHex, address: publicKeyToBtcAddress(publicKeyHex) }
}

/** The key in the long form that nothing here may take: 130 hex digits. */
export function uncompressed({ publicKeyHex }: Person): string {
  return secp256k1.Point.fromHex(publicKeyHex).toHex(false)
}

/** Owns an address. */
export const alice = person('alice')
/** Owns another one, and writes for alice where she lets him. */
export const bob = person('bob')
export const carol = person('carol')
/** Has no right to anything. */
export const mallory = person('mallory')
