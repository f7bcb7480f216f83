import { addressOfDid } from '../../did.ts'
import { InvalidInputError } from '../../errors.ts'
import type { Recipient } from '../envelope.ts'
import { type ChangeOptions, reseal, rewrap } from './change.ts'
import type { Committed } from './commit.ts'
import type { SealContext, SealFor } from './context.ts'
import { resolveAll } from './resolve.ts'

/** Adds recipients. The content stays where it is; only the envelope is written. @returns `null` where all were */
export async function share(
  context: SealContext,
  path: string,
  sealFor: readonly SealFor[],
  options: ChangeOptions = {},
): Promise<{ done: Committed | null; added: readonly Recipient[] }> {
  const added = await resolveAll(context, sealFor)
  const choose = (present: readonly Recipient[]) => {
    const missing = added.filter(({ key }) => present.every((one) => one.key !== key))
    return missing.length === 0 ? null : [...present, ...missing]
  }
  return { done: await rewrap(context, path, choose, options), added }
}

/**
 * Removes recipients: the file is sealed anew under a new key for those who are left. What they have read before
 * cannot be unread.
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
  const choose = (present: readonly Recipient[]) => {
    const left = without(present, removed)
    gone = left === null ? [] : present.filter((one) => !left.includes(one))
    return left
  }
  const done = await reseal(context, path, choose, options)
  return { done, gone }
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
