import { gaiaResource } from '../../sign-ucan.ts'
import { formatName, type Recipient } from '../envelope.ts'
import { exportOpeningKey, generateOpeningKey } from '../opening-key.ts'
import type { SealFor } from '../seal-for.ts'
import { type ChangeOptions, reseal } from './change.ts'
import type { Committed } from './commit.ts'
import { contextAt, type SealContext } from './context.ts'
import { type FolderOptions, type FolderResult, forEachSealed } from './folder.ts'
import { type GroupSecret, parseGroup, readGroup } from './group-keys.ts'
import { openObject } from './open.ts'
import { resolve } from './resolve.ts'
import { share, without } from './share.ts'
import { namesOf, type SealedPut, writeSealed } from './write.ts'

const groupType = 'application/json'

/** A fresh key pair: the public half for everybody, the private one in front of those of before. */
async function freshKeys(former: readonly string[]): Promise<{ did: string; secret: string }> {
  const key = await generateOpeningKey('P-256', { extractable: true })
  const secret: GroupSecret = { group: formatName, keys: [await exportOpeningKey(key), ...former] }
  return { did: key.did, secret: JSON.stringify(secret) }
}

/** Makes a group: a file that holds its private key, sealed for the members and oneself. */
export async function createGroup(
  context: SealContext,
  path: string,
  members: readonly SealFor[],
): Promise<SealedPut & { group: string }> {
  const { did, secret } = await freshKeys([])
  const options = { sealFor: members, createOnly: true, contentType: groupType, open: { group: did } }
  const done = await writeSealed(context, path, secret, options)
  return { ...done, group: gaiaResource(context.connection.address, path) }
}

/** Adds members to a group, for all that was sealed for it and will be. */
export async function addMembers(
  context: SealContext,
  group: string,
  members: readonly SealFor[],
): Promise<Committed | null> {
  const { address, path } = parseGroup(group)
  return (await share(contextAt({ ...context, groups: [] }, address), path, members)).done
}

/**
 * Removes members and gives the group a new key, sealed for those who are left. What was sealed for the group before
 * still opens with the old one: see {@link refreshGroup}.
 */
export async function removeMembers(
  context: SealContext,
  group: string,
  removed: readonly SealFor[],
): Promise<Committed | null> {
  const { address, path } = parseGroup(group)
  const there = contextAt({ ...context, groups: [] }, address)
  const object = await openObject(there, path)
  const { keys } = await readGroup(there, object)
  const left = without(object.opened.recipients, removed)
  if (left === null) return null
  const fresh = await freshKeys(keys)
  const sealFor = namesOf(left)
  const options = { sealFor, includeMe: false, ifMatch: object.info.etag, contentType: groupType }
  return writeSealed(there, path, fresh.secret, { ...options, open: { group: fresh.did } })
}

/** Seals anew, below a prefix, what is sealed for a key that the group no longer uses. Resumable. */
export async function refreshGroup(
  context: SealContext,
  group: string,
  prefix: string,
  options: FolderOptions & Pick<ChangeOptions, 'sealers' | 'keepHistory'> = {},
): Promise<FolderResult> {
  const [present] = await resolve(context, group)
  const choose = (recipients: readonly Recipient[]) => {
    const isOld = (one: Recipient) => one.group === group && one.key !== present?.key
    if (present === undefined || !recipients.some(isOld)) return null
    return [...recipients.filter((one) => one.group !== group), present]
  }
  const { onProgress: _, ...change } = options
  return forEachSealed(
    context,
    prefix,
    async (path) => (await reseal(context, path, choose, change)) !== null,
    options,
  )
}
