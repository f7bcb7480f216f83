import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base58, createBase58check, hex } from '@scure/base'
import { InvalidInputError } from './errors.ts'
import type { JwtAlgorithm } from './signers/signer.ts'

/** A public key as a `did:key` names it. */
export interface DidKey {
  readonly jwtAlg: JwtAlgorithm
  /** Compressed: 33 bytes (secp256k1, P-256) or 32 (Ed25519). */
  readonly publicKey: Uint8Array
}

/** Multicodec prefixes of did:key, as unsigned varints. */
const multicodec = {
  EdDSA: { prefix: [0xed, 0x01], length: 32 },
  ES256: { prefix: [0x80, 0x24], length: 33 },
  ES256K: { prefix: [0xe7, 0x01], length: 33 },
} as const satisfies Record<JwtAlgorithm, { prefix: readonly [number, number]; length: number }>

const algorithms = Object.keys(multicodec) as JwtAlgorithm[]

const base58check = createBase58check(sha256)

/** P2PKH on Bitcoin's main chain, in CAIP-2 terms. */
const pkhPrefix = 'did:pkh:bip122:000000000019d6689c085ae165831e93:'

/** `did:key` of a compressed public key. */
export function didKeyOf({ jwtAlg, publicKey }: DidKey): string {
  return `did:key:z${base58.encode(Uint8Array.of(...multicodec[jwtAlg].prefix, ...publicKey))}`
}

/**
 * The key that a `did:key` names, by its form; whether it is a point of its curve is for the hub to say.
 * @throws {InvalidInputError} for other methods and other kinds of keys
 */
export function parseDidKey(did: string): DidKey {
  if (!/^did:key:z[1-9A-HJ-NP-Za-km-z]{1,70}$/.test(did)) {
    throw new InvalidInputError('a key must be named by a did:key in base58btc (did:key:z…)')
  }
  const bytes = base58.decode(did.slice('did:key:z'.length))
  const jwtAlg = algorithms.find((name) => multicodec[name].prefix.every((byte, i) => byte === bytes[i]))
  if (jwtAlg === undefined || bytes.length !== multicodec[jwtAlg].length + 2) {
    throw new InvalidInputError('a did:key must be that of an Ed25519, P-256 or secp256k1 key')
  }
  return { jwtAlg, publicKey: bytes.slice(2) }
}

/** The address whose bucket a key owns: `1…` for secp256k1, else the identifier of its did:key (PROTOCOL 1.1). */
export function addressOfDid(did: string): string {
  const { jwtAlg, publicKey } = parseDidKey(did)
  return jwtAlg === 'ES256K' ? p2pkhAddress(publicKey) : did.slice('did:key:'.length)
}

/** Whether a key controls an address: its P2PKH address or its did:key identifier equals it (PROTOCOL 1.1). */
export function controls(did: string, address: string): boolean {
  return did === `did:key:${address}` || addressOfDid(did) === address
}

/** `did:pkh` of a `1…` address: an audience of whom only the address is known. */
export function didPkhOf(address: string): string {
  return pkhPrefix + address
}

/** Whether a DID names the key of another: its `did:key`, or the `did:pkh` of its address. */
export function namesKey(did: string, keyDid: string): boolean {
  return did === keyDid || did === pkhPrefix + addressOfDid(keyDid)
}

/**
 * The compressed public key in hex, as v1 tokens carry it.
 * @throws {InvalidInputError} for keys of other curves than secp256k1
 */
export function publicKeyHexOf(did: string): string {
  const { jwtAlg, publicKey } = parseDidKey(did)
  if (jwtAlg !== 'ES256K') throw new InvalidInputError('a v1 token is signed by a secp256k1 key')
  return hex.encode(publicKey)
}

/** Base58Check of version 0 and RIPEMD-160 of SHA-256 of the key. */
export function p2pkhAddress(publicKey: Uint8Array): string {
  return base58check.encode(Uint8Array.of(0, ...ripemd160(sha256(publicKey))))
}
