import type { Authority } from './authority.ts'
import { type Action, authorize, type Permit } from './authorize.ts'
import { refuseCredential } from './refusal.ts'

/**
 * For right before a commit: what was revoked since the request began must not be done any more, nor in a way that is
 * no longer allowed.
 * @param permit of the same action, when the request began
 * @throws {WireError} `revoked`, or the authority's own refusal; or a DriverError where storage cannot tell
 */
export async function authorizeAgain(authority: Authority, action: Action, permit: Permit): Promise<void> {
  const renewed = await authority.renew()
  if (renewed === authority) return
  const again = authorize(renewed, action)
  if (
    again.mode !== permit.mode ||
    again.createOnly !== permit.createOnly ||
    again.maxSize !== permit.maxSize
  ) {
    throw refuseCredential('a grant was revoked while the request was under way; send it again', 'revoked')
  }
}
