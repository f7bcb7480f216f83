import type { CallOptions } from '../../files/files.ts'
import { dropContent } from './commit.ts'
import type { SealContext } from './context.ts'
import { orNull, readObject } from './stored-object.ts'

/**
 * Deletes the envelope, and then the content that it named: in between there is no file, and a content for a sweep.
 * @returns whether there was one
 */
export async function deleteSealed(
  context: SealContext,
  path: string,
  options: CallOptions = {},
): Promise<boolean> {
  const object = await orNull(readObject(context.connection.transport, path, options))
  if (object === null) return false
  await object.rest.return(undefined)
  const isDeleted = await context.connection.delete(path, { ...options, ifMatch: object.info.etag })
  if (isDeleted) await dropContent(context, path, object.envelope.content)
  return isDeleted
}
