import { base58 } from '@scure/base'
import { TokenSigner } from 'jsontokens'
import { publicKeyOf } from './v1-token.ts'

/** What a delegation hands on, or an invocation uses (PROTOCOL 2.1). */
export interface UcanCapability {
  /** `gaia://<address>/<path>`; everything below it where the path is empty or ends in `/`, else that one file. */
  with: string
  /** `gaia/store`, `gaia/delete`, `gaia/list`, … */
  can: string
  /** Caveats: `maxSize`, `contentType`, `createOnly`. */
  nb?: { maxSize?: number; contentType?: string[]; createOnly?: true }
}

export interface UcanOptions {
  /** 64 hex digits: a secp256k1 key, the one that hands on or uses. */
  issuerPrivateKeyHex: string
  /** A `did:key`, a `did:pkh` where only the writer's address is known, or the `hub_did` of a hub: an invocation. */
  audience: string
  capabilities: readonly UcanCapability[]
  /** Seconds since 1970: the first one in which the token is not valid. */
  expiration: number
  /** Seconds since 1970. Without it the token is valid as soon as its proofs are. */
  notBefore?: number
  /**
   * Seconds since 1970. An owner's delegation without it ends when the owner revokes all for the first time: the hub
   * cannot know that it is younger.
   */
  issuedAt?: number
  /** The delegations that this token rests on, outermost tokens only: they hold their own proofs. */
  proofs?: readonly string[]
}

/**
 * Issues a UCAN, a delegation or an invocation alike: a JWT of version 0.8.1 with its proofs inside, signed ES256K
 * (PROTOCOL 2.2). Nothing is checked here; the hub says what is wrong with it.
 */
export function issueUcan(options: UcanOptions): string {
  const { issuerPrivateKeyHex, capabilities, notBefore, issuedAt, proofs = [] } = options
  const payload = {
    iss: didKeyOf(publicKeyOf(issuerPrivateKeyHex)),
    aud: options.audience,
    exp: options.expiration,
    ...(notBefore === undefined ? {} : { nbf: notBefore }),
    ...(issuedAt === undefined ? {} : { iat: issuedAt }),
    att: capabilities.map((capability) => ({ ...capability })),
    prf: [...proofs],
  }
  return new TokenSigner('ES256K', issuerPrivateKeyHex).sign(payload, false, { ucv: '0.8.1' })
}

/** The resource of a path at an address; the path is decoded, never percent-encoded. */
export function gaiaResource(address: string, path = ''): string {
  return `gaia://${address}/${path}`
}

/** `did:key` of a compressed secp256k1 key, 66 hex digits (multicodec 0xe7 as a varint, base58btc). */
export function didKeyOf(publicKeyHex: string): string {
  const bytes = publicKeyHex.match(/../g)?.map((digits) => Number.parseInt(digits, 16)) ?? []
  return `did:key:z${base58.encode(Uint8Array.of(0xe7, 0x01, ...bytes))}`
}

/** `did:pkh` of a `1…` address, for a writer of whom nothing else is known (CAIP-2: Bitcoin's main chain). */
export function didPkhOf(address: string): string {
  return `did:pkh:bip122:000000000019d6689c085ae165831e93:${address}`
}
