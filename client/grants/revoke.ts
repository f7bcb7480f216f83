import { isCid } from '../delegation/cid.ts'
import type { Delegation } from '../delegation/delegation.ts'
import { controls } from '../did.ts'
import { InvalidInputError } from '../errors.ts'
import type { Need, Transport } from '../transport/transport.ts'
import { readText } from './answers.ts'
import type { GrantCallOptions } from './grant.ts'

/**
 * Ends a delegation, and every chain that passes through it, for good. The owner may, and each issuer of the
 * delegation's own chain: Bob what he handed on, Alice all of it. At this hub it holds at once, at others over the same
 * storage within `revocationMaxAgeSeconds` of the hub's info.
 * @param which the delegation, or the CID of one that is deposited
 * @returns the CID
 * @throws {NotFoundError} for a CID under which nothing is deposited: give the delegation itself
 * @throws {UnauthorizedError} or {NotAuthorizedError} where the signer is not in the chain; nothing has changed then
 */
export async function revokeDelegation(
  transport: Transport,
  which: Delegation | string,
  { signal }: GrantCallOptions = {},
): Promise<string> {
  const answer = await transport.requestJson('revoke', bodyOf(which), {
    needs: ownerNeeds(transport),
    signal,
  })
  const cid = readText(answer, 'cid')
  transport.credentials.noteGrant?.(cid, 'revoked')
  return cid
}

/** What the credential must be: an owner's for everything; any other only says who asks. */
export function ownerNeeds({ did, address }: Transport): Need[] {
  return controls(did, address) ? [{ ability: '*', path: '' }] : []
}

function bodyOf(which: Delegation | string): object {
  if (typeof which !== 'string')
    return { ucan: which.token, ...(which.isSelfContained ? {} : { proofs: which.proofs }) }
  if (isCid(which)) return { cid: which }
  throw new InvalidInputError(
    'a delegation is named by its CID (bafkrei…); give the delegation itself instead of its text',
  )
}
