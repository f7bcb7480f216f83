import { InvalidInputError, MandateError } from '../../errors.ts'
import { toBytes } from '../chunks.ts'
import { formatName } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { importOpeningKey, type OpeningKey } from '../opening-key.ts'
import type { Envelope } from '../read-envelope.ts'
import { openContent } from './content.ts'
import { contextAt, type SealContext } from './context.ts'
import { type OpenedObject, orNull } from './stored-object.ts'

/** What the file of a group holds, sealed for its members. */
export interface GroupSecret {
  readonly group: typeof formatName
  /** Private keys as text, the one in use first. */
  readonly keys: readonly string[]
}

/** Address and path of a group. @throws {InvalidInputError} */
export function parseGroup(group: string): { address: string; path: string } {
  const [, address, path] = /^gaia:\/\/([a-zA-Z0-9]{1,128})\/(.+)$/s.exec(group) ?? []
  if (address === undefined || path === undefined) {
    throw new InvalidInputError('a group is named by gaia://<address>/<path>')
  }
  return { address, path }
}

/** Whether a sealed file holds the keys of a group. */
export function isGroup({ open }: Envelope): boolean {
  return open !== null && 'group' in open
}

/** Keys of groups, and why there are not more. */
export interface GroupKeys {
  readonly keys: readonly OpeningKey[]
  /** The first group whose file could not be read, or is none; it hides nothing that another one opens. */
  readonly failure: MandateError | null
}

/** Keys of all groups that this one is a member of; a group that does not open gives none. */
export async function keysOfGroups(
  context: SealContext,
  open: (context: SealContext, path: string) => Promise<OpenedObject>,
): Promise<GroupKeys> {
  const keys: OpeningKey[] = []
  let failure: MandateError | null = null
  for (const group of context.groups) {
    try {
      const { address, path } = parseGroup(group)
      const there = contextAt(context, address)
      const object = await orNull(unlessStranger(open(there, path)))
      if (object !== null) keys.push(...(await keysOf(there, object)))
    } catch (error) {
      if (!(error instanceof MandateError)) throw error
      error.message = `the group ${group}: ${error.message}`
      failure ??= error
    }
  }
  return { keys, failure }
}

/** Who is no longer a member is one who cannot open it, not one whose reads fail. */
async function unlessStranger(opening: Promise<OpenedObject>): Promise<OpenedObject | null> {
  try {
    return await opening
  } catch (error) {
    if (error instanceof SealError && error.code === 'not-a-recipient') return null
    throw error
  }
}

async function keysOf(context: SealContext, object: OpenedObject): Promise<readonly OpeningKey[]> {
  const { signature } = object.envelope
  const known = context.groupKeys.get(signature)
  if (known !== undefined) {
    await object.rest.return(undefined)
    return known
  }
  const { keys } = await readGroup(context, object)
  const opening = await Promise.all(keys.map((key) => importOpeningKey(key)))
  context.groupKeys.set(signature, opening)
  return opening
}

/** @throws {SealError} `malformed` */
export async function readGroup(context: SealContext, object: OpenedObject): Promise<GroupSecret> {
  const bytes = await toBytes(await openContent(context.connection.transport, object))
  const secret = JSON.parse(new TextDecoder().decode(bytes)) as Partial<GroupSecret>
  if (secret.group !== formatName || !Array.isArray(secret.keys)) {
    throw new SealError('malformed', 'that file is no group')
  }
  return secret as GroupSecret
}
