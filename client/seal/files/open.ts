import { SealError } from '../errors.ts'
import { type OpenedEnvelope, openEnvelope } from '../read-envelope.ts'
import type { SealContext } from './context.ts'
import { keysOfGroups } from './group-keys.ts'
import { type OpenedObject, readObject, type StoredObject } from './stored-object.ts'
import { type AllowedSealers, checkSealer, checkVersion } from './trust.ts'

export interface OpenOptions {
  signal?: AbortSignal | undefined
  /** Whose signatures are taken beside those that are known. */
  sealers?: AllowedSealers
  /** A former version of the file, by its own path: it may be older than what was seen. */
  from?: string
}

/**
 * Reads and opens an envelope: known sealer, no older than what was seen, and sealed for a key at hand.
 * @throws {SealError} `unknown-sealer`, `rolled-back`, `forked`, `not-a-recipient`, …
 * @throws {NotFoundError}
 */
export async function openObject(
  context: SealContext,
  path: string,
  options: OpenOptions = {},
): Promise<OpenedObject> {
  const stored = await readObject(context.connection.transport, path, options)
  try {
    checkSealer(context, stored.envelope, options.sealers)
    if (options.from === undefined) await checkVersion(context, stored.envelope, options.sealers)
    const opened = await openWithAny(context, stored)
    if (opened === null) throw new SealError('not-a-recipient', `"${path}" is sealed for others`)
    return { ...stored, opened }
  } catch (error) {
    await stored.rest.return(undefined)
    throw error
  }
}

async function openWithAny(context: SealContext, { envelope }: StoredObject): Promise<OpenedEnvelope | null> {
  const own = await openEnvelope(envelope, context.keys)
  if (own !== null) return own
  const { keys, failure } = await keysOfGroups(context, openGroup)
  const opened = await openEnvelope(envelope, keys)
  // The group that could not be read may be the one that opens it.
  if (opened === null && failure !== null) throw failure
  return opened
}

/** Members of a group are keys, not groups: this never goes deeper. */
function openGroup(context: SealContext, path: string): Promise<OpenedObject> {
  return openObject({ ...context, groups: [] }, path)
}
