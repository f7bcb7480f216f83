import { refuseCredential } from './refusal.ts'

/** The most bytes of a credential, checked before any other work on it (PROTOCOL 2.2's limit, for every kind). */
export const maxCredentialBytes = 16 * 1024

/** What stands in the Authorization header, told apart by form alone; nothing of it is verified yet. */
export type Credential =
  | { readonly kind: 'v1'; readonly jwt: string }
  | { readonly kind: 'legacy'; readonly encoded: string }

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
    throw refuseCredential(`the credential is larger than ${maxCredentialBytes} bytes`, 'too-large')
  }
  if (token.startsWith('v1:')) return { kind: 'v1', jwt: token.slice(3) }
  if (/^[A-Za-z0-9+/_-]+=*$/.test(token)) return { kind: 'legacy', encoded: token }
  throw refuseCredential('the credential is of no known kind; expected a token that begins with "v1:"')
}
