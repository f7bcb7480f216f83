import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { base64urlnopad } from '@scure/base'
import { addressOfDid, didKeyOf } from '../../did.ts'
import { readJwtPayload } from '../../jwt.ts'
import { CliError } from '../cli-error.ts'
import { formatTime } from '../terminal/units.ts'

/** A v1 token, the credential of Gaia (PROTOCOL 1.4), as data. */
export interface V1View {
  readonly kind: 'v1'
  /** Whose bucket it is for; `null` where `iss` is no key. */
  readonly address: string | null
  readonly hub: string | null
  /** Seconds since 1970. */
  readonly issuedAt: number | null
  readonly expiration: number | null
  /** `putFile photos/cat.jpg`; `null`: it may do everything at its address. */
  readonly scopes: readonly string[] | null
  readonly hasAssociation: boolean
  readonly signature: 'valid' | 'invalid'
  readonly problems: readonly string[]
}

/** @throws {CliError} where it is no v1 token at all */
export function viewV1Token(text: string, nowMs: number): V1View {
  const jwt = text.trim().replace(/^(?:bearer\s+)?v1:/i, '')
  const claims = readJwtPayload(jwt)
  if (claims === null) throw new CliError('invalid', 'this is neither a delegation nor a v1 token')
  const { iss, exp, iat, hubUrl, scopes, associationToken } = claims
  const address = addressOf(iss)
  const isSigned = typeof iss === 'string' && address !== null && isSignedBy(jwt, iss)
  const expiration = typeof exp === 'number' ? exp : null
  return {
    kind: 'v1',
    address,
    hub: typeof hubUrl === 'string' ? hubUrl : null,
    issuedAt: typeof iat === 'number' ? iat : null,
    expiration,
    scopes: Array.isArray(scopes) ? scopes.map(scopeText) : null,
    hasAssociation: typeof associationToken === 'string',
    signature: isSigned ? 'valid' : 'invalid',
    problems: [
      ...(isSigned ? [] : ['it was not signed by the key in it, or changed since']),
      ...(expiration !== null && expiration <= nowMs / 1000
        ? [`it expired at ${formatTime(expiration)} UTC`]
        : []),
      ...(typeof claims.gaiaChallenge === 'string' ? [] : ['it names no challenge of a hub (gaiaChallenge)']),
    ],
  }
}

function addressOf(iss: unknown): string | null {
  if (typeof iss !== 'string' || !/^0[23][0-9a-f]{64}$/i.test(iss)) return null
  return addressOfDid(didKeyOf({ jwtAlg: 'ES256K', publicKey: hexToBytes(iss) }))
}

/** Either s is taken, as hubs do. */
function isSignedBy(jwt: string, publicKeyHex: string): boolean {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  try {
    const message = new TextEncoder().encode(`${header}.${payload}`)
    const bytes = base64urlnopad.decode(signature)
    return secp256k1.verify(bytes, message, hexToBytes(publicKeyHex), { lowS: false })
  } catch {
    // Not base64url, not 64 bytes, or no point of the curve: no signature of that key.
    return false
  }
}

function scopeText(scope: unknown): string {
  const { scope: name, domain } = (scope ?? {}) as Record<string, unknown>
  return `${String(name)} ${JSON.stringify(domain ?? null)}`
}
