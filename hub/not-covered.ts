import { WireError } from '../http/errors.ts'
import type { Authority } from './auth/authority.ts'
import { refuseCredential } from './auth/refusal.ts'

/**
 * An operation beyond what the credential allows. An owner's own token with scopes answers 401, as Gaia's clients
 * know it (PROTOCOL 1.4).
 */
export function notCovered(authority: Authority, reason: string): WireError {
  return authority.isOwner
    ? refuseCredential(`the scopes of the token do not allow this: ${reason}`)
    : new WireError('not_authorized', reason, { details: { code: 'not-covered' } })
}
