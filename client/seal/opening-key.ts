import { base58, hex } from '@scure/base'
import { publicKeyOf } from '../crypto/secp256k1.ts'
import { InvalidInputError } from '../errors.ts'
import type { StacksSigner } from '../signers/signer.ts'
import { concat, fromBase64url, toBase64url } from './bytes.ts'
import { type EncryptionKey, encryptionKey, type KeyKind, kindNames, kinds } from './encryption-key.ts'
import { rawKeyPair } from './secp256k1-kem.ts'

/** A private key that opens sealed files, wherever WebCrypto keeps it. */
export interface OpeningKey extends EncryptionKey {
  /** Of WebCrypto; browsers keep it in IndexedDB as it stands. Opaque for secp256k1. */
  readonly pair: CryptoKeyPair
}

const x25519Pkcs8 = hex.decode('302e020100300506032b656e04220420')

/** The key that a Stacks signer opens files with: its own, as `@stacks/storage` does too. */
export function stacksOpeningKey(signer: StacksSigner): OpeningKey {
  return secp256k1OpeningKey(hex.decode(signer.privateKeyHex))
}

function secp256k1OpeningKey(privateKey: Uint8Array): OpeningKey {
  const pair = rawKeyPair(privateKey)
  return { ...encryptionKey('secp256k1', publicKeyOf(privateKey, false)), pair }
}

/**
 * A WebCrypto key pair as an opening key: X25519, or ECDH with P-256, extractable or not.
 * @throws {InvalidInputError} for other keys
 */
export async function openingKey(pair: CryptoKeyPair): Promise<OpeningKey> {
  const { name, namedCurve } = pair.publicKey.algorithm as EcKeyAlgorithm
  const isP256 = name === 'ECDH' && namedCurve === 'P-256'
  if ((!isP256 && name !== 'X25519') || !pair.privateKey.usages.includes('deriveBits')) {
    throw new InvalidInputError(
      'the key pair must be one of X25519 or of ECDH with P-256 that may derive bits',
    )
  }
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return { ...encryptionKey(isP256 ? 'P-256' : 'X25519', raw), pair }
}

/**
 * A fresh key to open files with, beside a signer whose key cannot: Ed25519, and P-256 keys that only sign.
 * @param kind P-256 works in every browser; X25519 in current ones
 */
export async function generateOpeningKey(
  kind: 'P-256' | 'X25519' = 'P-256',
  options: { extractable?: boolean } = {},
): Promise<OpeningKey> {
  const pair = await crypto.subtle.generateKey(algorithm(kind), options.extractable ?? false, ['deriveBits'])
  return openingKey(pair as CryptoKeyPair)
}

/**
 * The private half as text, for a backup: `z…`, multicodec in base58btc. Whoever has it opens all that is sealed for
 * the key.
 * @throws where the key is not extractable
 */
export async function exportOpeningKey(key: OpeningKey): Promise<string> {
  if (key.kind === 'secp256k1')
    throw new InvalidInputError('a Stacks key is backed up as the signer that it is')
  const { d } = await crypto.subtle.exportKey('jwk', key.pair.privateKey)
  const bytes = concat(Uint8Array.from(kinds[key.kind].privatePrefix), fromBase64url(d, 32))
  return `z${base58.encode(bytes)}`
}

/** @throws {InvalidInputError} for anything else than a text of {@link exportOpeningKey}; it is not repeated */
export async function importOpeningKey(
  text: string,
  options: { extractable?: boolean } = {},
): Promise<OpeningKey> {
  const bytes = /^z[1-9A-HJ-NP-Za-km-z]{40,60}$/.test(text) ? base58.decode(text.slice(1)) : new Uint8Array()
  const kind = kindNames.find((name) => kinds[name].privatePrefix.every((byte, i) => byte === bytes[i]))
  if (kind === undefined || bytes.length !== 34)
    throw new InvalidInputError('that is no key to open files with')
  return openingKeyOf(kind, bytes.slice(2), options.extractable ?? false)
}

async function openingKeyOf(kind: KeyKind, d: Uint8Array, extractable: boolean): Promise<OpeningKey> {
  if (kind === 'secp256k1') return secp256k1OpeningKey(d)
  const jwk = kind === 'P-256' ? await p256Jwk(d) : await x25519Jwk(d)
  const publicKey = await crypto.subtle.importKey('jwk', { ...jwk }, algorithm(kind), true, [])
  const secret = { ...jwk, d: toBase64url(d) }
  const privateKey = await crypto.subtle.importKey('jwk', secret, algorithm(kind), extractable, [
    'deriveBits',
  ])
  return openingKey({ publicKey, privateKey })
}

/** No WebCrypto is sure to tell the public half. Loaded where a backup is read, and nowhere else: it is large. */
async function p256Jwk(d: Uint8Array): Promise<JsonWebKey> {
  const { p256 } = await import('@noble/curves/nist.js')
  const point = p256.getPublicKey(d, false)
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(toBase64url)
  return { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }
}

/** WebCrypto takes a private X25519 key in PKCS#8 without its public half, and tells that half. */
async function x25519Jwk(d: Uint8Array): Promise<JsonWebKey> {
  const key = await crypto.subtle.importKey('pkcs8', concat(x25519Pkcs8, d), 'X25519', true, ['deriveBits'])
  const { x = '' } = await crypto.subtle.exportKey('jwk', key)
  return { kty: 'OKP', crv: 'X25519', x }
}

function algorithm(kind: 'P-256' | 'X25519'): EcKeyAlgorithm | { name: 'X25519' } {
  return kind === 'P-256' ? { name: 'ECDH', namedCurve: 'P-256' } : { name: 'X25519' }
}
