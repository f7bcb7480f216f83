import { gaiaResource } from '../../sign-ucan.ts'
import type { Recipient } from '../envelope.ts'
import type { Envelope } from '../read-envelope.ts'
import type { SealFor } from '../seal-for.ts'
import { type ChangeOptions, reseal } from './change.ts'
import type { Committed } from './commit.ts'
import type { SealContext } from './context.ts'
import { isGroup } from './group-keys.ts'
import { removeMembers } from './groups.ts'
import { without } from './share.ts'

/**
 * Removes recipients: the file is sealed anew under a new key for those who are left, and a group gets a new key. What
 * they have read before cannot be unread.
 * @returns `done` is `null` where none of them was a recipient
 * @throws {InvalidInputError} where nobody would be left
 */
export async function unshare(
  context: SealContext,
  path: string,
  removed: readonly SealFor[],
  options: ChangeOptions = {},
): Promise<{ done: Committed | null; gone: readonly Recipient[] }> {
  let gone: readonly Recipient[] = []
  let isOfGroup = false
  const choose = (present: readonly Recipient[], envelope: Envelope) => {
    const left = without(present, removed)
    gone = left === null ? [] : present.filter((one) => !left.includes(one))
    isOfGroup = left !== null && isGroup(envelope)
    return isOfGroup ? null : left
  }
  const done = await reseal(context, path, choose, options)
  if (!isOfGroup) return { done, gone }
  return { done: await removeMembers(context, gaiaResource(context.connection.address, path), removed), gone }
}
