import { addressOfDid } from '../../did.ts'
import { InvalidInputError } from '../../errors.ts'
import type { Recipient } from '../envelope.ts'
import type { Envelope } from '../read-envelope.ts'
import type { SealFor } from '../seal-for.ts'
import { type ChangeOptions, rewrap } from './change.ts'
import type { Committed } from './commit.ts'
import type { SealContext } from './context.ts'
import { isGroup } from './group-keys.ts'
import { eachOnce, resolveAll } from './resolve.ts'

/** Adds recipients. The content stays where it is; only the envelope is written. @returns `null` where all were */
export async function share(
  context: SealContext,
  path: string,
  sealFor: readonly SealFor[],
  options: ChangeOptions & { exceptGroups?: boolean } = {},
): Promise<{ done: Committed | null; added: readonly Recipient[] }> {
  const named = await resolveAll(context, sealFor)
  let added: readonly Recipient[] = []
  const choose = (present: readonly Recipient[], envelope: Envelope) => {
    const isOfGroup = options.exceptGroups === true && isGroup(envelope)
    added = isOfGroup ? keysOfMembers(named, present) : named
    const all = eachOnce([...present, ...added])
    return all.length === present.length && all.every((one, i) => one === present[i]) ? null : all
  }
  const done = await rewrap(context, path, choose, options)
  return { done, added }
}

/** Keys of those who are recipients already: one that is new, one of recovery. */
function keysOfMembers(named: readonly Recipient[], present: readonly Recipient[]): readonly Recipient[] {
  return named.filter(({ did }) => did !== undefined && present.some((one) => one.did === did))
}

/** `null` where nobody is to be removed. */
export function without(
  present: readonly Recipient[],
  removed: readonly SealFor[],
): readonly Recipient[] | null {
  const left = present.filter((recipient) => !removed.some((one) => isNamed(recipient, one)))
  if (left.length === 0) throw new InvalidInputError('nobody would be left who can open it')
  return left.length === present.length ? null : left
}

/** Whether a recipient is the one that is named, by its key, its identity, its address or its group. */
export function isNamed({ key, did, group }: Recipient, name: SealFor): boolean {
  if (typeof name === 'string') return [key, did, group].includes(name)
  if ('key' in name) return key === name.key
  return did !== undefined && addressOfDid(did) === name.address
}
