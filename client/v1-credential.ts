import { hex } from '@scure/base'
import { publicKeyHexOf } from './did.ts'
import { signJwt } from './jwt.ts'
import { isStacksSigner } from './signers/signer.ts'
import type { CredentialContext } from './transport/transport.ts'

/** A Gaia scope: what a token is narrowed to (PROTOCOL 1.4). */
export interface V1Scope {
  scope: string
  domain: string
}

/**
 * Signs a v1 token, the credential of Gaia (PROTOCOL 1.4), for a secp256k1 key. It lets its bearer do all that it
 * says until it expires.
 * @param lifetimeSeconds how long it is valid
 */
export async function signV1Token(
  context: CredentialContext,
  lifetimeSeconds: number,
  scopes: readonly V1Scope[] | null = null,
): Promise<string> {
  const { signer, did, hub, hubUrl } = context
  const issuedAt = context.issueTime()
  const associationToken = isStacksSigner(signer) ? signer.associationToken : null
  const jwt = await signJwt(signer, {
    gaiaChallenge: hub.challengeText,
    hubUrl,
    iss: publicKeyHexOf(did),
    // So that two tokens of one second differ.
    salt: hex.encode(crypto.getRandomValues(new Uint8Array(16))),
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    ...(associationToken === null ? {} : { associationToken }),
    ...(scopes === null ? {} : { scopes }),
  })
  return `v1:${jwt}`
}
