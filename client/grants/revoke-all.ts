import type { Transport } from '../transport/transport.ts'
import type { GrantCallOptions } from './grant.ts'
import { ownerNeeds } from './revoke.ts'

/**
 * Ends everything that was signed for the bucket up to now: the owner's own tokens, wherever they are, and every chain
 * of delegations that begins with one. What the owner signs from the next second on is valid; this connection sees to
 * that. Only the owner may. It cannot be undone.
 * @returns the oldest valid time, in seconds since 1970: what was issued before it is void
 */
export async function revokeAllTokens(
  transport: Transport,
  { signal }: GrantCallOptions = {},
): Promise<number> {
  // The second that follows: what was signed within the current one is void too.
  const oldestValidTimestamp = Math.floor(transport.now() / 1000) + 1
  const body = { oldestValidTimestamp }
  await transport.requestJson('revoke-all', body, { needs: ownerNeeds(transport), signal })
  transport.raiseIssueTime(oldestValidTimestamp)
  return oldestValidTimestamp
}
