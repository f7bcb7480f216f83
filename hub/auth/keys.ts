import { ed25519 } from '@noble/curves/ed25519.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base58, createBase58check } from '@scure/base'
import { LRUCache } from 'lru-cache'
import { isCurvePoint } from './signature.ts'

export type KeyKind = 'secp256k1' | 'P-256' | 'Ed25519'

/** A public key that was checked: a point of its curve, in canonical form, not of small order. */
export interface PublicKey {
  readonly kind: KeyKind
  /** Compressed: 33 bytes (secp256k1, P-256) or 32 (Ed25519). */
  readonly bytes: Uint8Array
  /** `did:key:z…` */
  readonly did: string
}

/** The one JWT `alg` that each kind of key signs with (RFC 7518, RFC 8037, RFC 8812). */
export const jwtAlgorithm = {
  secp256k1: 'ES256K',
  'P-256': 'ES256',
  Ed25519: 'EdDSA',
} as const satisfies Record<KeyKind, string>

/** A key or DID in a form that is not taken; the message never repeats it. */
export class KeyFormatError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KeyFormatError'
  }
}

/** Multicodec prefixes of did:key, as unsigned varints. */
const multicodec: ReadonlyArray<{ kind: KeyKind; prefix: readonly [number, number]; length: number }> = [
  { kind: 'Ed25519', prefix: [0xed, 0x01], length: 32 },
  { kind: 'P-256', prefix: [0x80, 0x24], length: 33 },
  { kind: 'secp256k1', prefix: [0xe7, 0x01], length: 33 },
]

/** Checking a point costs as much as a signature, and the same few keys come again and again. */
const checkedKeys = new LRUCache<string, PublicKey>({ max: 10_000 })

const base58check = createBase58check(sha256)

/** P2PKH on Bitcoin's main chain, in CAIP-2 terms: the chain id is the beginning of the genesis block's hash. */
const pkhPrefix = 'did:pkh:bip122:000000000019d6689c085ae165831e93:'

/**
 * A compressed secp256k1 key as Gaia's tokens carry it: 66 hex digits.
 * @throws {KeyFormatError}
 */
export function publicKeyFromHex(hex: string): PublicKey {
  if (!/^0[23][0-9a-fA-F]{64}$/.test(hex)) {
    throw new KeyFormatError('a public key must be 66 hex digits, a compressed secp256k1 key')
  }
  return checkedKey('secp256k1', Buffer.from(hex, 'hex'))
}

/**
 * The key that a `did:key` names.
 * @throws {KeyFormatError} for other methods, other curves and keys that fail their check
 */
export function publicKeyFromDid(did: string): PublicKey {
  const known = checkedKeys.get(did)
  if (known !== undefined) return known
  if (!did.startsWith('did:key:z'))
    throw new KeyFormatError('a principal must be a did:key in base58btc (did:key:z…)')
  if (did.length > 80) throw new KeyFormatError('the did:key is too long')
  const bytes = decodeBase58(did.slice('did:key:z'.length))
  const codec = multicodec.find(({ prefix }) => bytes[0] === prefix[0] && bytes[1] === prefix[1])
  if (codec === undefined) throw new KeyFormatError('a did:key must be an Ed25519, P-256 or secp256k1 key')
  if (bytes.length !== codec.length + 2)
    throw new KeyFormatError(`a ${codec.kind} did:key has ${codec.length} bytes`)
  return checkedKey(codec.kind, bytes.subarray(2))
}

/** The `1…` address of a secp256k1 key (Base58Check of version 0 and RIPEMD-160 of SHA-256 of the key). */
export function p2pkhAddress(key: PublicKey): string {
  const known = addresses.get(key)
  if (known !== undefined) return known
  const payload = new Uint8Array(21)
  payload.set(ripemd160(sha256(key.bytes)), 1)
  const address = base58check.encode(payload)
  addresses.set(key, address)
  return address
}

const addresses = new WeakMap<PublicKey, string>()

/** Whether a key controls an address (PROTOCOL 1.1): its P2PKH address or its did:key identifier equals it. */
export function controls(key: PublicKey, address: string): boolean {
  if (key.did === `did:key:${address}`) return true
  return key.kind === 'secp256k1' && p2pkhAddress(key) === address
}

/** The address that a key is known by where it owns one: `1…` for secp256k1, else its did:key identifier. */
export function addressOf(key: PublicKey): string {
  return key.kind === 'secp256k1' ? p2pkhAddress(key) : key.did.slice('did:key:'.length)
}

/** `did:pkh` of a P2PKH address. */
export function didPkh(address: string): string {
  return pkhPrefix + address
}

/** The P2PKH address that a `did:pkh` of Bitcoin's main chain names, checksum verified; `null` for any other DID. */
export function addressOfDidPkh(did: string): string | null {
  if (!did.startsWith(pkhPrefix)) return null
  const address = did.slice(pkhPrefix.length)
  return isP2pkhAddress(address) ? address : null
}

/** Whether a text is a Base58Check P2PKH address of version 0. */
export function isP2pkhAddress(text: string): boolean {
  if (!/^1[1-9A-HJ-NP-Za-km-z]{25,33}$/.test(text)) return false
  try {
    const payload = base58check.decode(text)
    return payload.length === 21 && payload[0] === 0
  } catch {
    return false
  }
}

function checkedKey(kind: KeyKind, bytes: Uint8Array): PublicKey {
  const did = didOf(kind, bytes)
  const known = checkedKeys.get(did)
  if (known !== undefined) return known
  if (!isValidPoint(kind, bytes))
    throw new KeyFormatError(`the ${kind} key is not a usable point of its curve`)
  const key: PublicKey = { kind, bytes: Uint8Array.from(bytes), did }
  checkedKeys.set(did, key)
  return key
}

function didOf(kind: KeyKind, bytes: Uint8Array): string {
  const codec = multicodec.find((entry) => entry.kind === kind)
  if (codec === undefined) throw new KeyFormatError('unknown kind of key')
  return `did:key:z${base58.encode(Uint8Array.from([...codec.prefix, ...bytes]))}`
}

function isValidPoint(kind: KeyKind, bytes: Uint8Array): boolean {
  return kind === 'Ed25519' ? isSafeEd25519(bytes) : isCurvePoint(kind, bytes)
}

/** Under a key of small order anybody can make a signature that verifies. RFC 8032 encodings only. */
function isSafeEd25519(bytes: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(bytes, false).isSmallOrder()
  } catch {
    return false
  }
}

function decodeBase58(text: string): Uint8Array {
  try {
    return base58.decode(text)
  } catch {
    throw new KeyFormatError('the did:key is not base58btc')
  }
}
