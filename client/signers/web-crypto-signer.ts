import { didKeyOf } from '../did.ts'
import { InvalidInputError } from '../errors.ts'
import type { JwtAlgorithm, Signer } from './signer.ts'

/** The kinds of keys that WebCrypto signs with. */
export type WebCryptoKeyKind = 'P-256' | 'Ed25519'

/** A signer whose key WebCrypto keeps; its private half need not be extractable. */
export interface WebCryptoSigner extends Signer {
  readonly jwtAlg: JwtAlgorithm
  did(): string
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** The pair itself: browsers keep it in IndexedDB as it stands, extractable or not. */
  readonly keyPair: CryptoKeyPair
}

/**
 * A signer for a WebCrypto key pair: Ed25519, or ECDSA with P-256.
 * @throws {InvalidInputError} for other keys
 */
export async function webCryptoSigner(keyPair: CryptoKeyPair): Promise<WebCryptoSigner> {
  const kind = kindOf(keyPair)
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', keyPair.publicKey))
  const jwtAlg = kind === 'P-256' ? 'ES256' : 'EdDSA'
  const did = didKeyOf({ jwtAlg, publicKey: kind === 'P-256' ? compressed(raw) : raw })
  const algorithm = kind === 'P-256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' }
  return {
    jwtAlg,
    keyPair,
    did: () => did,
    sign: async (bytes) =>
      new Uint8Array(await crypto.subtle.sign(algorithm, keyPair.privateKey, Uint8Array.from(bytes))),
  }
}

/**
 * Makes a key and its signer. Without `extractable` nobody can read the private half, this page included.
 * @param kind P-256 works in every browser; Ed25519 in current ones
 */
export async function generateSigner(
  kind: WebCryptoKeyKind = 'P-256',
  options: { extractable?: boolean } = {},
): Promise<WebCryptoSigner> {
  const algorithm = kind === 'P-256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' }
  const pair = await crypto.subtle.generateKey(algorithm, options.extractable ?? false, ['sign', 'verify'])
  return webCryptoSigner(pair as CryptoKeyPair)
}

function kindOf({ publicKey, privateKey }: CryptoKeyPair): WebCryptoKeyKind {
  const { name, namedCurve } = publicKey.algorithm as EcKeyAlgorithm
  if (!privateKey.usages.includes('sign'))
    throw new InvalidInputError('the private key must be one to sign with')
  if (name === 'Ed25519') return 'Ed25519'
  if (name === 'ECDSA' && namedCurve === 'P-256') return 'P-256'
  throw new InvalidInputError('the key pair must be one of Ed25519 or of ECDSA with P-256')
}

/** From 04 x y to 02 or 03 x (SEC 1 section 2.3.3). */
function compressed(point: Uint8Array): Uint8Array {
  const isOdd = ((point[64] ?? 0) & 1) === 1
  return Uint8Array.of(isOdd ? 3 : 2, ...point.subarray(1, 33))
}
