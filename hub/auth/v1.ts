import { type PublicKey, publicKeyFromHex } from './keys.ts'
import { refuseCredential } from './refusal.ts'
import { type V1Jwt, verifyV1Jwt } from './v1-jwt.ts'

/** What one hub expects of v1 and legacy tokens. */
export interface V1Rules {
  readonly challenges: readonly string[]
  /** Set where `hubUrl` is required: the URLs that are this hub's, without a trailing slash. */
  readonly hubUrls: ReadonlySet<string> | null
  /** Seconds since 1970. */
  readonly now: number
}

/** The two signatures of a v1 credential, verified; what depends on time and place is checked at each use. */
export interface V1Token {
  readonly token: V1Jwt
  readonly association: V1Jwt | null
}

/** Verifies the signatures of a v1 token and of the association token inside it. @throws {WireError} */
export function verifyV1Token(jwt: string): V1Token {
  const token = verifyV1Jwt(jwt, 'token')
  const inner = token.claims.associationToken
  if (inner === undefined || inner === null) return { token, association: null }
  if (typeof inner !== 'string') throw refuseCredential('the "associationToken" of the token must be a text')
  return { token, association: verifyAssociation(inner, token.issuer) }
}

/** Checks the claims of a verified token against this hub and this moment. @throws {WireError} */
export function checkV1Claims({ token, association }: V1Token, rules: V1Rules): void {
  checkExpiration(token.claims, 'token', rules.now)
  if (association !== null) checkExpiration(association.claims, 'association token', rules.now)
  if (
    typeof token.claims.gaiaChallenge !== 'string' ||
    !rules.challenges.includes(token.claims.gaiaChallenge)
  ) {
    throw refuseCredential('the "gaiaChallenge" of the token is not the challenge_text of this hub')
  }
  if (rules.hubUrls !== null) checkHubUrl(token.claims.hubUrl, rules.hubUrls)
}

/** The `iat` of a token where it is a number: seconds since 1970, fractions allowed. */
export function issueTime({ token }: V1Token): number | null {
  return Number.isFinite(token.claims.iat) ? Number(token.claims.iat) : null
}

/** Whose address the whitelist is asked for: the signer of the association token, where there is one. */
export function whitelistKey({ token, association }: V1Token): PublicKey {
  return (association ?? token).issuer
}

/** A trailing slash aside, two URLs of a hub are the same text. */
export function normalizeHubUrl(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}

function verifyAssociation(jwt: string, child: PublicKey): V1Jwt {
  const association = verifyV1Jwt(jwt, 'association token')
  const { childToAssociate, exp } = association.claims
  if (exp === undefined) throw refuseCredential('the association token has no "exp"')
  if (typeof childToAssociate !== 'string' || !isHexOf(childToAssociate, child)) {
    throw refuseCredential('the "childToAssociate" of the association token is not the "iss" of the token')
  }
  return association
}

function isHexOf(hex: string, key: PublicKey): boolean {
  try {
    return publicKeyFromHex(hex).did === key.did
  } catch {
    return false
  }
}

/** `exp` is the first second in which the token is not valid; 0 and anything that is no number do not mean "never". */
function checkExpiration(claims: V1Jwt['claims'], what: string, now: number): void {
  if (claims.exp === undefined) return
  // JSON may spell a number that is none here: 1e400 reads as Infinity, which would never come.
  if (!Number.isFinite(claims.exp))
    throw refuseCredential(`the "exp" of the ${what} must be a number of seconds`)
  if (Number(claims.exp) <= now) throw refuseCredential(`the ${what} has expired ("exp")`, 'expired')
}

function checkHubUrl(hubUrl: unknown, hubUrls: ReadonlySet<string>): void {
  if (typeof hubUrl !== 'string' || !hubUrls.has(normalizeHubUrl(hubUrl))) {
    throw refuseCredential(`the "hubUrl" of the token must be one of this hub's: ${[...hubUrls].join(', ')}`)
  }
}
