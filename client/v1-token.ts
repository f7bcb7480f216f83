import { SECP256K1Client, TokenSigner } from 'jsontokens'

export interface V1TokenOptions {
  /** 64 hex digits: a secp256k1 key. */
  privateKey: string
  /** `challenge_text` of the hub's `hub_info`. */
  challengeText: string
  /** Address of the hub that the token is for. */
  hubUrl: string
  /** Seconds that the token is valid for. */
  lifetimeSeconds: number
  /** Milliseconds since 1970; the clock. */
  now?: () => number
}

/**
 * Mints a `v1` token, the credential of Gaia (PROTOCOL 1.4). It goes into the header as `Authorization: bearer
 * <token>` and lets its bearer do all that it says until it expires.
 */
export function mintV1Token(options: V1TokenOptions): string {
  const { privateKey, challengeText, hubUrl, lifetimeSeconds, now = Date.now } = options
  const issuedAt = Math.floor(now() / 1000)
  const payload = {
    gaiaChallenge: challengeText,
    iss: publicKeyOf(privateKey),
    salt: randomHex(16),
    hubUrl,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
  }
  return `v1:${new TokenSigner('ES256K', privateKey).sign(payload)}`
}

/** The compressed public key of a private one, in hex. */
export function publicKeyOf(privateKey: string): string {
  return SECP256K1Client.derivePublicKey(privateKey)
}

/** So that two tokens of one second differ. */
function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes))
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
