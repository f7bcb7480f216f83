/** The one JWT `alg` of each kind of key (RFC 7518, RFC 8037, RFC 8812). */
export type JwtAlgorithm = 'EdDSA' | 'ES256' | 'ES256K'

/**
 * A key that signs, wherever it is kept. A key pair of `@ucans/ucans` is one as it stands; so is anything with these
 * three members, a hardware key behind a service for instance.
 */
export interface Signer {
  /** `did:key:z…` of the public key. */
  did(): string | Promise<string>
  /** `EdDSA` (Ed25519), `ES256` (P-256) or `ES256K` (secp256k1). */
  readonly jwtAlg: string
  /**
   * Signs the bytes, which are not hashed before: 64 bytes, r and s (either s), or those of Ed25519.
   */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** A secp256k1 key of Stacks, whose private half is at hand: it can open what `@stacks/storage` encrypted. */
export interface StacksSigner extends Signer {
  readonly jwtAlg: 'ES256K'
  did(): string
  sign(bytes: Uint8Array): Uint8Array
  /** `1…`: the bucket that the key owns. */
  readonly address: string
  /** 66 hex digits, compressed. */
  readonly publicKeyHex: string
  /** 64 hex digits. Whoever has them is the owner: never log, store or send them. */
  readonly privateKeyHex: string
  /** What ties the key to the owner's own on a hub with a whitelist (PROTOCOL 1.4); `null` for none. */
  readonly associationToken: string | null
}

/** Whether a signer is a Stacks key with its private half at hand. */
export function isStacksSigner(signer: Signer): signer is StacksSigner {
  return signer.jwtAlg === 'ES256K' && 'privateKeyHex' in signer && typeof signer.privateKeyHex === 'string'
}
