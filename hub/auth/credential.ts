import { refuseCredential } from './refusal.ts'
import { maxUcanBytes } from './ucan/index.ts'

/** The most bytes of a credential with its prefix, checked before any other work on it (PROTOCOL 2.2's limit). */
export const maxCredentialBytes = maxUcanBytes + 'ucan:'.length

/** What stands in the Authorization header, told apart by form alone; nothing of it is verified yet. */
export type Credential =
  | { readonly kind: 'v1'; readonly jwt: string }
  | { readonly kind: 'legacy'; readonly encoded: string }
  | { readonly kind: 'ucan'; readonly jwt: string }

/**
 * Reads the Authorization header (RFC 6750 form; the scheme's case does not matter).
 * @throws {WireError} `unauthorized` when it is missing, of another form, or too large
 */
export function readCredential(header: string | undefined): Credential {
  if (header === undefined || header === '') {
    throw refuseCredential('the Authorization header is missing; expected "Bearer v1:<token>"')
  }
  const token = /^bearer +([!-~]+)$/i.exec(header)?.[1]
  if (token === undefined) {
    throw refuseCredential('the Authorization header has another form than "Bearer <token>"')
  }
  if (token.length > maxCredentialBytes) {
    throw refuseCredential(`the credential is larger than ${maxUcanBytes} bytes`, 'too-large')
  }
  if (token.startsWith('v1:')) return { kind: 'v1', jwt: token.slice(3) }
  if (token.startsWith('ucan:')) return { kind: 'ucan', jwt: token.slice(5) }
  // A bare JWT is taken for a UCAN; its decoder will say what it lacks.
  if (token.split('.', 4).length === 3) return { kind: 'ucan', jwt: token }
  if (/^[A-Za-z0-9+/_-]+=*$/.test(token)) return { kind: 'legacy', encoded: token }
  throw refuseCredential(
    'the credential is of no known kind; expected one that begins with "v1:" or "ucan:"',
    'malformed',
  )
}
