import { hex } from '@scure/base'
import { publicKeyHexOf } from './did.ts'
import { signJwt } from './jwt.ts'
import { isStacksSigner, type Signer } from './signers/signer.ts'

/** What a v1 token is narrowed to: `putFile`, `deleteFilePrefix`, … at a path or prefix (PROTOCOL 1.4). */
export interface V1Scope {
  scope: string
  domain: string
}

/** What a v1 token is to say. */
export interface V1TokenContent {
  /** `challengeText` of the hub. */
  challengeText: string
  /** Address of the hub that the token is for. */
  hubUrl: string
  /** Seconds since 1970. */
  issuedAt: number
  lifetimeSeconds: number
  /** At most 8; without them the token may do everything. */
  scopes?: readonly V1Scope[] | null
}

/**
 * Signs a v1 token, the credential of Gaia (PROTOCOL 1.4), with a secp256k1 key. It goes into the header as
 * `Authorization: Bearer <token>` and lets its bearer do all that it says until it expires.
 * @throws {InvalidInputError} where the key is another one
 */
export async function signV1Token(signer: Signer, content: V1TokenContent): Promise<string> {
  const { challengeText, hubUrl, issuedAt, lifetimeSeconds, scopes = null } = content
  const associationToken = isStacksSigner(signer) ? signer.associationToken : null
  const jwt = await signJwt(signer, {
    gaiaChallenge: challengeText,
    hubUrl,
    iss: publicKeyHexOf(await signer.did()),
    // So that two tokens of one second differ.
    salt: hex.encode(crypto.getRandomValues(new Uint8Array(16))),
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    ...(associationToken === null ? {} : { associationToken }),
    ...(scopes === null ? {} : { scopes }),
  })
  return `v1:${jwt}`
}
