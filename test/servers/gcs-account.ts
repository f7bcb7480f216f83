import { generateKeyPairSync, verify } from 'node:crypto'
import type { Accounts } from './gcs-signatures.ts'

export interface Account {
  /** What its holder has. */
  readonly credentials: { readonly client_email: string; readonly private_key: string }
  /** Whether the token in a header was signed with that. */
  readonly signed: (authorization: string | undefined) => boolean
  /** The account alone. */
  readonly accounts: Accounts
}

/** A service account with a key of its own. */
export function account(email: string): Account {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const credentials = {
    client_email: email,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const signed = (header: string | undefined): boolean => {
    const [head, claims, signature] = header?.replace(/^Bearer /, '').split('.') ?? []
    if (head === undefined || claims === undefined || signature === undefined) return false
    return verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))
  }
  return { credentials, signed, accounts: new Map([[email, publicKey]]) }
}
