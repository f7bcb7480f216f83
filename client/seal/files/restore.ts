import type { FormerVersion } from '../../files/history.ts'
import { toStream } from '../chunks.ts'
import type { Recipient } from '../envelope.ts'
import { openContent } from './content.ts'
import type { SealContext } from './context.ts'
import { type OpenOptions, openObject } from './open.ts'
import { orNull } from './stored-object.ts'
import { namesOf, type SealedPut, writeSealed } from './write.ts'

/**
 * Makes a former version the present one: sealed anew, so that it is no older than what readers have seen, and only
 * for those who can open the present one. Where nothing is at the path now, for those who could open the former one.
 */
export async function restoreSealed(
  context: SealContext,
  version: FormerVersion,
  options: Pick<OpenOptions, 'signal' | 'sealers'> = {},
): Promise<SealedPut> {
  const from = { ...options, from: version.path }
  const present = await presentRecipients(context, version.of, options)
  const object = await openObject(context, version.of, from)
  const { type, recipients } = object.opened
  const plain = toStream(await openContent(context.connection.transport, object, from))
  return writeSealed(context, version.of, plain, {
    size: object.envelope.content.size,
    sealFor: namesOf(present ?? recipients),
    includeMe: false,
    contentType: type,
    overwrite: true,
    keepHistory: true,
    signal: options.signal,
  })
}

async function presentRecipients(
  context: SealContext,
  path: string,
  options: OpenOptions,
): Promise<readonly Recipient[] | null> {
  const object = await orNull(openObject(context, path, options))
  await object?.rest.return(undefined)
  return object?.opened.recipients ?? null
}
