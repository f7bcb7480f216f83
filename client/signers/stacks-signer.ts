import { hex } from '@scure/base'
import { isPrivateKey, publicKeyOf, randomPrivateKey, signEcdsa } from '../crypto/secp256k1.ts'
import { didKeyOf, p2pkhAddress } from '../did.ts'
import { InvalidInputError } from '../errors.ts'
import type { StacksSigner } from './signer.ts'

/** What may be known of a Stacks key besides itself. */
export interface StacksSignerOptions {
  /** Ties the key to the owner's own, for hubs with a whitelist. */
  associationToken?: string | null
}

/**
 * A signer for a Stacks (secp256k1) private key: the app key of a Stacks dApp, for instance.
 * @param privateKeyHex 64 hex digits, or 66 that end in `01`, as Stacks libraries write a compressed key
 * @throws {InvalidInputError} for anything else; the message never repeats it
 */
export function stacksSigner(privateKeyHex: string, options: StacksSignerOptions = {}): StacksSigner {
  return new PrivateKeySigner(readKey(privateKeyHex), options.associationToken ?? null)
}

/** A fresh secp256k1 key. */
export function generateStacksSigner(): StacksSigner {
  return new PrivateKeySigner(randomPrivateKey(), null)
}

/** The key is in a private field behind a getter, so that a signer that is printed or put into JSON gives nothing away. */
class PrivateKeySigner implements StacksSigner {
  readonly jwtAlg = 'ES256K'
  readonly address: string
  readonly publicKeyHex: string
  readonly #privateKey: Uint8Array
  readonly #associationToken: string | null
  readonly #did: string

  constructor(privateKey: Uint8Array, associationToken: string | null) {
    const publicKey = publicKeyOf(privateKey)
    this.#privateKey = privateKey
    this.#associationToken = associationToken
    this.#did = didKeyOf({ jwtAlg: 'ES256K', publicKey })
    this.address = p2pkhAddress(publicKey)
    this.publicKeyHex = hex.encode(publicKey)
  }

  get privateKeyHex(): string {
    return hex.encode(this.#privateKey)
  }

  get associationToken(): string | null {
    return this.#associationToken
  }

  did(): string {
    return this.#did
  }

  /** SHA-256 and low s (RFC 8812). */
  sign(bytes: Uint8Array): Uint8Array {
    return signEcdsa(bytes, this.#privateKey, 'compact')
  }
}

function readKey(text: string): Uint8Array {
  const digits = /^([0-9a-f]{64})(?:01)?$/i.exec(text)?.[1]
  const key = digits === undefined ? null : hex.decode(digits.toLowerCase())
  if (key === null || !isPrivateKey(key)) {
    throw new InvalidInputError(
      'a private key must be 64 hex digits, or 66 that end in 01, of a secp256k1 key',
    )
  }
  return key
}
