import { InvalidInputError, PreconditionFailedError } from '../../errors.ts'
import { contentOf, type PutData } from '../../files/source.ts'
import type { Progress } from '../../transport/transport.ts'
import { utf8 } from '../bytes.ts'
import type { SealSource } from '../chunks.ts'
import type { Recipient } from '../envelope.ts'
import { SealError } from '../errors.ts'
import type { SealFor } from '../seal-for.ts'
import {
  type Commit,
  type CommitCondition,
  type Committed,
  commit,
  dropContent,
  nextVersion,
  type PlainSource,
  prepareContent,
} from './commit.ts'
import { isOwn, type SealContext } from './context.ts'
import { openObject } from './open.ts'
import { resolveAll } from './resolve.ts'
import { type OpenedObject, orNull, readObject, type StoredObject } from './stored-object.ts'

export interface SealPutOptions {
  /** Whom to seal for; by default those for whom the present version is sealed, which one must be able to open. */
  sealFor?: readonly SealFor[]
  /** Whether to seal for oneself too: by default at one's own address. */
  includeMe?: boolean
  /** That of the plain text. */
  contentType?: string
  /** Bytes of a stream, where they are known. */
  size?: number
  overwrite?: boolean
  ifMatch?: string
  createOnly?: boolean
  /** Keeps the version that is replaced, with its content. */
  keepHistory?: boolean
  /** Puts the content into one object with the envelope, held in memory: what a delegation for one file allows. */
  inline?: boolean
  /** Members that everybody may read, signed with the rest. */
  open?: Readonly<Record<string, unknown>>
  signal?: AbortSignal | undefined
  /** Counts sealed bytes. */
  onProgress?: (progress: Progress) => void
}

export interface SealedPut extends Committed {
  readonly recipients: readonly Recipient[]
}

/**
 * Seals and stores a file: first the content, under a name of its own, then, by one conditional write, the envelope
 * that names it. What stops in between leaves the former version.
 */
export async function writeSealed(
  context: SealContext,
  path: string,
  data: PutData,
  options: SealPutOptions = {},
): Promise<SealedPut> {
  const { body, contentType } = contentOf(data, options.size)
  const current = options.createOnly ? null : await currentObject(context, path, options.signal)
  const recipients = await recipientsFor(context, path, options)
  const version = await nextVersion(context, path, current?.envelope ?? null)
  const source: PlainSource = { ...body, open: async () => sealSource(await body.open()) }
  const content = await prepareContent(context, path, version, source, options)
  const { open } = options
  const by = context.connection.did
  const parts: Commit = {
    path,
    version,
    content,
    type: options.contentType ?? contentType,
    by,
    recipients,
    open,
  }
  const done = await commitOrDrop(context, parts, conditionOf(options, current), options)
  if (!options.keepHistory) await dropContent(context, path, current?.envelope?.content)
  return { ...done, recipients }
}

function sealSource(body: string | SealSource): SealSource {
  return typeof body === 'string' ? utf8(body) : body
}

/** Nothing refers to a content whose envelope was refused. */
export async function commitOrDrop(
  context: SealContext,
  parts: Commit,
  condition: CommitCondition,
  options: { signal?: AbortSignal | undefined; keepHistory?: boolean | undefined },
): Promise<Committed> {
  try {
    return await commit(context, parts, condition, options)
  } catch (error) {
    // Where the answer was lost it may have been stored, and be a former version by now.
    const isRefused = error instanceof PreconditionFailedError && !error.answerLost
    if (isRefused && parts.content.inline === null)
      await dropContent(context, parts.path, parts.content.record)
    throw error
  }
}

/** What is there now: a sealed file, or something else that has an etag. */
interface Current {
  readonly etag: string
  readonly envelope: StoredObject['envelope'] | null
}

async function currentObject(
  context: SealContext,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Current | null> {
  try {
    const object = await orNull(readObject(context.connection.transport, path, { signal }))
    await object?.rest.return(undefined)
    return object === null ? null : { etag: object.info.etag, envelope: object.envelope }
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    // No sealed file of this place: it is replaced like any other.
    const info = await context.connection.head(path, { signal })
    return info === null ? null : { etag: info.etag, envelope: null }
  }
}

/** The version counts up from what was read, so that is what must be replaced where any version may be. */
function conditionOf(options: SealPutOptions, current: Current | null): CommitCondition {
  if (options.createOnly) return { createOnly: true }
  if (options.ifMatch !== undefined) return { ifMatch: options.ifMatch }
  if (!options.overwrite) return {}
  return current === null ? { createOnly: true } : { ifMatch: current.etag }
}

async function recipientsFor(
  context: SealContext,
  path: string,
  options: SealPutOptions,
): Promise<Recipient[]> {
  if (options.sealFor === undefined) return presentRecipients(context, path)
  const me = options.includeMe ?? isOwn(context)
  const recipients = await resolveAll(context, [...options.sealFor, ...(me ? [context.connection.did] : [])])
  if (recipients.length === 0) throw new InvalidInputError('say for whom to seal')
  return recipients
}

async function presentRecipients(context: SealContext, path: string): Promise<Recipient[]> {
  const object: OpenedObject = await openObject(context, path)
  await object.rest.return(undefined)
  return resolveAll(context, namesOf(object.opened.recipients))
}

/** How recipients are looked up again; recovery keys come with those whose they are. */
export function namesOf(recipients: readonly Recipient[]): SealFor[] {
  return recipients
    .filter(({ recovery }) => recovery !== true)
    .map(({ group, did, key }) => group ?? did ?? { key })
}
