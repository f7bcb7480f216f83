import type { WireError } from '../http/errors.ts'
import type { Authority } from './auth/authority.ts'
import type { Capability } from './auth/capability.ts'
import { refuseUcan, refuseUncovered } from './auth/refusal.ts'
import { UcanError } from './auth/ucan/index.ts'

/**
 * The answer to somebody who asks for what is the owner's, or for what was not granted to it (PROTOCOL 2.4): with an
 * invocation `not-covered`, or `root-not-owner` where it claims what it has not.
 * @param serves whether holding a capability would allow it
 */
export function refuseStranger(
  authority: Authority,
  serves: (capability: Capability) => boolean,
  reason: string,
): WireError {
  if (authority.credential !== 'invocation' || authority.claimed === null)
    return authority.refusal(serves, reason)
  if (!authority.claimed.some(serves)) return refuseUncovered(reason)
  return refuseUcan(
    new UcanError('root-not-owner', { link: 0, claim: 'iss', expected: 'a key that controls the address' }),
  )
}
