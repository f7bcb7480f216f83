import { KeyFormatError, type PublicKey, publicKeyFromHex } from './keys.ts'
import { refuseCredential } from './refusal.ts'
import { verifySignature } from './signature.ts'

/** A JSON Web Token as Gaia's clients sign it: ES256K, its `iss` the public key in hex that signed it. */
export interface V1Jwt {
  readonly issuer: PublicKey
  readonly claims: Claims
}

type Claims = Readonly<Record<string, unknown>>

/**
 * Verifies a compact JWS (RFC 7515) that names its own key.
 * @param what how messages call it: `token`, `association token`
 * @param keyClaim where the key stands among the claims; a profile has it elsewhere than a token
 * @throws {WireError} `unauthorized`
 */
export function verifyV1Jwt(
  jwt: string,
  what: string,
  keyClaim: (claims: Claims) => unknown = (claims) => claims.iss,
): V1Jwt {
  const segments = jwt.split('.')
  const [header, payload, signature] = segments
  if (segments.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw refuseCredential(`the ${what} is not a JWT of three segments`, 'malformed')
  }
  checkHeader(readJson(header, what, 'header'), what)
  const claims = readJson(payload, what, 'payload')
  const issuer = readIssuer(keyClaim(claims), what)
  if (
    !verifySignature(issuer, Buffer.from(`${header}.${payload}`), readSegment(signature, what, 'signature'))
  ) {
    throw refuseCredential(`the signature of the ${what} does not verify under its "iss"`, 'bad-signature')
  }
  return { issuer, claims }
}

function checkHeader(header: Record<string, unknown>, what: string): void {
  if (header.alg !== 'ES256K')
    throw refuseCredential(`the "alg" of the ${what} must be "ES256K"`, 'malformed')
  if (header.typ !== undefined && header.typ !== 'JWT') {
    throw refuseCredential(`the "typ" of the ${what} must be "JWT"`, 'malformed')
  }
  // RFC 7515 4.1.11: extensions that are not understood make the token invalid.
  if (header.crit !== undefined) throw refuseCredential(`the ${what} has a "crit" header`, 'malformed')
}

function readIssuer(hex: unknown, what: string): PublicKey {
  if (typeof hex !== 'string')
    throw refuseCredential(`the key ("iss") of the ${what} must be a text`, 'malformed')
  try {
    return publicKeyFromHex(hex)
  } catch (error) {
    if (!(error instanceof KeyFormatError)) throw error
    throw refuseCredential(`the "iss" of the ${what} is not usable: ${error.message}`, 'malformed')
  }
}

function readJson(segment: string, what: string, name: string): Record<string, unknown> {
  // Made only where it is thrown: an error's stack costs more than all the rest here.
  const fault = () => refuseCredential(`the ${name} of the ${what} is not a JSON object`, 'malformed')
  let value: unknown
  try {
    value = JSON.parse(readSegment(segment, what, name).toString('utf8'))
  } catch (error) {
    throw error instanceof SyntaxError ? fault() : error
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault()
  return value as Record<string, unknown>
}

/** Canonical base64url only (RFC 4648 section 5, no padding): one text for one token. */
function readSegment(segment: string, what: string, name: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  if (segment === '' || bytes.toString('base64url') !== segment) {
    throw refuseCredential(`the ${name} of the ${what} is not canonical base64url`, 'malformed')
  }
  return bytes
}
