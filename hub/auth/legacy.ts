import { secp256k1 } from '@noble/curves/secp256k1.js'
import { KeyFormatError, type PublicKey, publicKeyFromHex } from './keys.ts'
import { refuseCredential } from './refusal.ts'
import { verifySignature } from './signature.ts'

/**
 * Verifies a legacy credential: base64 of JSON `{publickey, signature}`, the signature (DER, hex) being over
 * SHA-256 of one of the challenge texts.
 * @returns the key that signed
 * @throws {WireError} `unauthorized`
 */
export function verifyLegacyToken(encoded: string, challenges: readonly string[]): PublicKey {
  const { publickey, signature } = readBody(encoded)
  if (typeof publickey !== 'string' || typeof signature !== 'string') {
    throw refuseCredential('a legacy token needs the texts "publickey" and "signature"', 'malformed')
  }
  const key = readKey(publickey)
  const compact = readDer(signature)
  if (!challenges.some((challenge) => verifySignature(key, Buffer.from(challenge), compact))) {
    throw refuseCredential('the signature of the legacy token is not one over the challenge_text of this hub')
  }
  return key
}

function readBody(encoded: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw refuseCredential(
    'the credential is neither a "v1:" token nor a legacy token (base64 of JSON)',
    'malformed',
  )
}

function readKey(publickey: string): PublicKey {
  try {
    return publicKeyFromHex(publickey)
  } catch (error) {
    if (!(error instanceof KeyFormatError)) throw error
    throw refuseCredential(`the "publickey" of the legacy token is not usable: ${error.message}`, 'malformed')
  }
}

function readDer(signature: string): Uint8Array {
  try {
    return secp256k1.Signature.fromHex(signature, 'der').toBytes('compact')
  } catch {
    throw refuseCredential('the "signature" of the legacy token is not DER in hex', 'malformed')
  }
}
