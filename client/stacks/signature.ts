import { hex } from '@scure/base'
import { signEcdsa, verifyEcdsa } from '../crypto/secp256k1.ts'
import { controls, didKeyOf } from '../did.ts'
import type { StacksSigner } from '../signers/signer.ts'
import { StacksFileError } from './errors.ts'

/** A signature as `@stacks/encryption` writes it: ECDSA over SHA-256, DER in hex. */
export interface StacksSignature {
  signature: string
  /** Compressed, in hex. */
  publicKey: string
}

/** Whether JSON has the form of a {@link StacksSignature}, whatever else it holds. */
export function isSignature(value: unknown): value is StacksSignature {
  const { signature, publicKey } = (value ?? {}) as Record<string, unknown>
  return typeof signature === 'string' && typeof publicKey === 'string'
}

export function signContent(signer: StacksSigner, content: Uint8Array): StacksSignature {
  const signature = signEcdsa(content, hex.decode(signer.privateKeyHex), 'der')
  return { signature: hex.encode(signature), publicKey: signer.publicKeyHex }
}

/**
 * Checks that the owner of a bucket signed a content.
 * @throws {StacksFileError} `wrong-signer`, `bad-signature`
 */
export function verifyContent(content: Uint8Array, signed: StacksSignature, address: string): void {
  const publicKey = decodeHex(signed.publicKey)
  const did = publicKey.length === 33 ? didKeyOf({ jwtAlg: 'ES256K', publicKey }) : null
  if (did === null || !controls(did, address)) {
    throw new StacksFileError('wrong-signer', 'the file was not signed by the owner of the bucket')
  }
  // Either s: older libraries of Stacks do not choose.
  if (!verifyEcdsa(decodeHex(signed.signature), content, publicKey, 'der')) {
    throw new StacksFileError('bad-signature', 'the signature of the file is not of its content')
  }
}

function decodeHex(text: string): Uint8Array {
  try {
    return hex.decode(text.toLowerCase())
  } catch (cause) {
    throw new StacksFileError('bad-signature', 'the signature of the file is not in hex', { cause })
  }
}
