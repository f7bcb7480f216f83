import { parseDidKey } from '../did.ts'
import { isUnsafeEd25519Point } from '../protocol/ed25519.ts'
import { verifyP256 } from './p256.ts'
import { verifyEcdsa } from './secp256k1.ts'

/** Whether a key signed: `unchecked` where this platform's WebCrypto has no Ed25519. */
export type SignatureState = 'valid' | 'invalid' | 'unchecked'

/**
 * Verifies a signature under the key of a `did:key`: ECDSA with SHA-256, either s (WebCrypto makes both), or Ed25519,
 * which is WebCrypto's: Node and all current browsers have it, and another one would make every bundle larger.
 */
export async function verifySignature(
  did: string,
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array,
): Promise<SignatureState> {
  const { jwtAlg, publicKey } = parseDidKey(did)
  if (jwtAlg === 'EdDSA') return verifyEd25519(publicKey, signature, data)
  if (jwtAlg === 'ES256K') return verifyEcdsa(signature, data, publicKey, 'compact') ? 'valid' : 'invalid'
  try {
    return (await verifyP256(signature, data, publicKey)) ? 'valid' : 'invalid'
  } catch {
    // A key that is no point of its curve.
    return 'invalid'
  }
}

async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array<ArrayBuffer>,
): Promise<SignatureState> {
  if (signature.length !== 64) return 'invalid'
  // WebCrypto takes them: some of them verify whatever was signed.
  if (isUnsafeEd25519Point(publicKey) || isUnsafeEd25519Point(signature.subarray(0, 32))) return 'invalid'
  let key: CryptoKey
  try {
    key = await crypto.subtle.importKey('raw', Uint8Array.from(publicKey), 'Ed25519', false, ['verify'])
  } catch (error) {
    // Without the algorithm nobody can tell; with it, this is no key.
    return error instanceof Error && error.name === 'NotSupportedError' ? 'unchecked' : 'invalid'
  }
  return (await crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), data)) ? 'valid' : 'invalid'
}
