import { PreconditionFailedError } from '../../errors.ts'
import type { Progress } from '../../transport/transport.ts'
import { toBytes } from '../chunks.ts'
import type { Recipient } from '../envelope.ts'
import { SealError } from '../errors.ts'
import type { Envelope } from '../read-envelope.ts'
import { type Commit, type Committed, commit, dropContent, nextVersion, prepareContent } from './commit.ts'
import { openContent } from './content.ts'
import type { SealContext } from './context.ts'
import { type OpenOptions, openObject } from './open.ts'
import type { OpenedObject } from './stored-object.ts'
import { commitOrDrop } from './write.ts'

export interface ChangeOptions extends OpenOptions {
  /** Keeps the version that is replaced, with its content. */
  keepHistory?: boolean
  /** Counts bytes of a content that is sealed anew. */
  onProgress?: (progress: Progress) => void
}

/** Who is to open the file. `null` to leave it as it is. */
export type NewRecipients = (
  present: readonly Recipient[],
  envelope: Envelope,
) => readonly Recipient[] | null | Promise<readonly Recipient[] | null>

/** How often to begin anew when somebody else changes the file meanwhile. */
const maxTries = 20

/**
 * Wraps the key of a file for others, and leaves its content where it is.
 * @returns `null` where nothing was to be changed
 */
export function rewrap(
  context: SealContext,
  path: string,
  choose: NewRecipients,
  options: ChangeOptions = {},
): Promise<Committed | null> {
  return changing(context, path, choose, options, async (object, recipients, version) => {
    const { envelope, opened } = object
    const inline = envelope.content.inline ? await toBytes(object.rest) : null
    const record = options.keepHistory ? { ...envelope.content, kept: true as const } : envelope.content
    const content = { record, dataKey: opened.dataKey, inline }
    const parts = { ...partsOf(object, recipients, version), content, wrapped: opened.wrapped }
    return commit(context, parts, { ifMatch: object.info.etag }, options)
  })
}

/**
 * Seals a file anew, under a new key, for others: who had the old key can open nothing of it. Interrupted at any point
 * it leaves the old state or the new.
 * @returns `null` where nothing was to be changed
 */
export function reseal(
  context: SealContext,
  path: string,
  choose: NewRecipients,
  options: ChangeOptions = {},
): Promise<Committed | null> {
  return changing(context, path, choose, options, async (object, recipients, version) => {
    const { transport } = context.connection
    const { envelope } = object
    const first = await openContent(transport, object, options)
    let taken = false
    const open = async () => {
      if (!taken) {
        taken = true
        return first
      }
      return openContent(transport, await openObject(context, path, options), options)
    }
    const source = { size: envelope.content.size, replayable: true, open }
    const content = await prepareContent(context, path, version, source, options)
    const parts = { ...partsOf(object, recipients, version), content }
    const done = await commitOrDrop(context, parts, { ifMatch: object.info.etag }, options)
    if (!options.keepHistory) await dropContent(context, path, envelope.content)
    return done
  })
}

function partsOf(
  { envelope, opened }: OpenedObject,
  recipients: readonly Recipient[],
  version: number,
): Omit<Commit, 'content'> {
  const { type, by } = opened
  return { path: envelope.path, version, type, by, recipients, open: envelope.open ?? undefined }
}

async function changing(
  context: SealContext,
  path: string,
  choose: NewRecipients,
  options: ChangeOptions,
  change: (object: OpenedObject, recipients: readonly Recipient[], version: number) => Promise<Committed>,
): Promise<Committed | null> {
  let former = ''
  for (let tries = 1; ; tries++) {
    const object = await openObject(context, path, options)
    const recipients = await choose(object.opened.recipients, object.envelope)
    if (recipients === null) {
      await object.rest.return(undefined)
      return null
    }
    try {
      return await change(object, recipients, await nextVersion(context, path, object.envelope))
    } catch (error) {
      // A content that is gone was replaced, unless its envelope is there still.
      const isReplaced = isOfReplaced(error) && object.info.etag !== former
      if ((!(error instanceof PreconditionFailedError) && !isReplaced) || tries === maxTries) throw error
      former = object.info.etag
    } finally {
      await object.rest.return(undefined)
    }
  }
}

function isOfReplaced(error: unknown): boolean {
  return error instanceof SealError && ['content-missing', 'replaced'].includes(error.code)
}
