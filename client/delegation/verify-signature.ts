import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { parseDidKey } from '../did.ts'
import { signedParts, type UcanToken } from './token.ts'

/** Whether the issuer signed: `unchecked` where this platform's WebCrypto has no Ed25519. */
export type SignatureState = 'valid' | 'invalid' | 'unchecked'

/**
 * Verifies the signature of a token under the key of its issuer: ECDSA with SHA-256, either s, or Ed25519. Ed25519 is
 * WebCrypto's, which Node and all current browsers have; another implementation of it would make every bundle larger.
 */
export async function verifySignature({ jwt, issuer }: UcanToken): Promise<SignatureState> {
  const { input, signature } = signedParts(jwt)
  const data = new TextEncoder().encode(input)
  const { jwtAlg, publicKey } = parseDidKey(issuer)
  if (jwtAlg === 'EdDSA') return verifyEd25519(publicKey, signature, data)
  try {
    const curve = jwtAlg === 'ES256' ? p256 : secp256k1
    return curve.verify(signature, data, publicKey, { lowS: false }) ? 'valid' : 'invalid'
  } catch {
    // A key that is no point of its curve, or r and s out of range.
    return 'invalid'
  }
}

async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array<ArrayBuffer>,
): Promise<SignatureState> {
  let key: CryptoKey
  try {
    key = await crypto.subtle.importKey('raw', Uint8Array.from(publicKey), 'Ed25519', false, ['verify'])
  } catch (error) {
    // Without the algorithm nobody can tell; with it, this is no key.
    return error instanceof Error && error.name === 'NotSupportedError' ? 'unchecked' : 'invalid'
  }
  return (await crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), data)) ? 'valid' : 'invalid'
}
