import { MandateError, NotAuthorizedError } from '../../errors.ts'
import { storeUnnamed } from '../../files/store.ts'
import type { Progress } from '../../transport/transport.ts'
import { type Bytes, concat, randomBytes, utf8 } from '../bytes.ts'
import { iterate, type SealSource, toBytes, toStream } from '../chunks.ts'
import { contentKeys } from '../content-keys.ts'
import { type ContentRecord, type Details, makeEnvelope, type Recipient, sealedType } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { defaultFrame, layoutOf, type SealedContent, sealFrames } from '../frames.ts'
import type { Envelope } from '../read-envelope.ts'
import { readEnvelope } from '../read-envelope.ts'
import type { Wrapped } from '../wrap.ts'
import { contentPath, hasRoomForContent } from './content-path.ts'
import type { SealContext } from './context.ts'
import { checkVersion, isOutOfReach, lastSeenVersion } from './trust.ts'

export interface CommitOptions {
  signal?: AbortSignal | undefined
  /** Keeps the version that is replaced, with its content. */
  keepHistory?: boolean | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

/** What is to be sealed; it can be opened again where `replayable`. */
export interface PlainSource {
  readonly size: number | null
  readonly replayable: boolean
  open(): SealSource | Promise<SealSource>
}

/** A content that is sealed, and stored unless it is `inline`. */
export interface ReadyContent {
  readonly record: ContentRecord
  readonly dataKey: Bytes
  /** The sealed bytes, where they are to stand behind the envelope. */
  readonly inline: Bytes | null
}

/** Up to this many bytes a content stands in the object of its envelope: one request reads both. */
const inlineBytes = 4096
/** How often a content is sealed anew, each time under a fresh key, where its upload fails. */
const maxUploads = 3

/**
 * Above every version that this reader has seen, and by the clock also above one that it has not.
 * @throws {SealError} `malformed` where there is no higher one
 */
export async function nextVersion(
  context: SealContext,
  path: string,
  current: Envelope | null,
): Promise<number> {
  const there = current === null || isOutOfReach(context, current) ? 0 : current.version
  const seen = Math.max(there, await lastSeenVersion(context, path))
  const next = Math.max(Math.floor(context.connection.transport.now()), seen + 1)
  if (Number.isSafeInteger(next)) return next
  throw new SealError('malformed', `no version of "${path}" can follow the one that was seen`)
}

/**
 * Seals a content under a fresh key, and stores it under a fresh name, where nothing refers to it yet: beside the file
 * where the writer may write there, else in one object with the envelope, held in memory.
 */
export async function prepareContent(
  context: SealContext,
  path: string,
  version: number,
  source: PlainSource,
  options: CommitOptions & { inline?: boolean | undefined } = {},
): Promise<ReadyContent> {
  const isShort = source.size !== null && source.size <= inlineBytes
  if (options.inline || isShort || !hasRoomForContent(path)) return sealInline(context, path, version, source)
  for (let uploads = 1; ; uploads++) {
    try {
      return await uploadContent(context, path, version, source, options)
    } catch (error) {
      if (!source.replayable) throw error
      // A delegation for one file covers no content beside it.
      if (error instanceof NotAuthorizedError) return sealInline(context, path, version, source)
      if (!isPassing(error) || uploads === maxUploads) throw error
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof MandateError)) return false
  // What a storage has refused goes through the hub next.
  const isRefused = error.code === 'expired' || error.code === 'upload-refused'
  return isRefused || error.code === 'network' || error.status === 429 || (error.status ?? 0) >= 500
}

async function sealInline(
  context: SealContext,
  path: string,
  version: number,
  source: PlainSource,
): Promise<ReadyContent> {
  const sealing = await beginSealing(context, path, version, source)
  const inline = await toBytes(sealing.body)
  return { ...sealing.end(), inline }
}

async function uploadContent(
  context: SealContext,
  path: string,
  version: number,
  source: PlainSource,
  { signal, keepHistory = false, onProgress }: CommitOptions,
): Promise<ReadyContent> {
  const { transport } = context.connection
  const sealing = await beginSealing(context, path, version, source)
  const size = source.size === null ? null : layoutOf(source.size, defaultFrame).sealedBytes
  // A body of another try would be sealed under the same key: the whole is sealed anew instead, above.
  const body = { size, replayable: false, open: () => toStream(sealing.body) }
  const target = await contentPath(path, sealing.id)
  const settings = { signal, keepHistory, ...(onProgress === undefined ? {} : { onProgress }) }
  await storeUnnamed(transport, target, { body, contentType: 'application/octet-stream' }, settings, {})
  return { ...sealing.end(), inline: null }
}

async function beginSealing(context: SealContext, path: string, version: number, source: PlainSource) {
  const { address } = context.connection
  const [dataKey, id] = [randomBytes(32), randomBytes(16)]
  const keys = await contentKeys(dataKey, { address, path, id, version, frame: defaultFrame })
  let sealed: SealedContent | null = null
  const body = sealFrames(iterate(await source.open()), keys.frames, defaultFrame, (end) => {
    sealed = end
  })
  const end = (): Omit<ReadyContent, 'inline'> => {
    if (sealed === null) throw new RangeError('the content has not been sealed to its end')
    return { dataKey, record: { id, version, frame: defaultFrame, ...sealed, inline: false } }
  }
  return { id, body, end }
}

/** All of a version that is to appear at a path. */
export interface Commit {
  readonly path: string
  readonly version: number
  readonly content: ReadyContent
  readonly type: string
  readonly by: string
  readonly recipients: readonly Recipient[]
  readonly open?: Readonly<Record<string, unknown>> | undefined
  readonly wrapped?: ReadonlyMap<string, Wrapped>
}

/** What must be at the path. */
export type CommitCondition =
  | { ifMatch: string }
  | { createOnly: true }
  | { overwrite: true }
  | Record<string, never>

/** A version that was stored. */
export interface Committed {
  readonly path: string
  readonly etag: string
  readonly publicUrl: string
  readonly version: number
}

/**
 * Makes the version appear: one conditional write of the envelope, which names its content and binds it.
 * @throws {PreconditionFailedError} where the path holds something else; the former version stands then
 */
export async function commit(
  context: SealContext,
  { path, version, content, type, by, recipients, open, wrapped }: Commit,
  condition: CommitCondition,
  { signal, keepHistory = false }: CommitOptions = {},
): Promise<Committed> {
  const { connection } = context
  const { address, transport } = connection
  const details: Details = { type, by, recipients }
  const record = { ...content.record, inline: content.inline !== null }
  const parts = { address, path, version, content: record, dataKey: content.dataKey, details, open }
  const line = await makeEnvelope(transport.signer, wrapped === undefined ? parts : { ...parts, wrapped })
  // As every reader will: what nobody could read replaces nothing.
  const envelope = await readEnvelope(line, { address, path })
  const object = concat(utf8(`${line}\n`), content.inline ?? new Uint8Array())
  const settings = {
    contentType: sealedType,
    keepHistory,
    ...condition,
    ...(signal === undefined ? {} : { signal }),
  }
  const { etag, publicUrl } = await connection.put(path, object, settings)
  await checkVersion(context, envelope)
  return { path, etag, publicUrl, version }
}

/**
 * Deletes a content that no envelope names any more; one that a former version names stays. Where the writer may not, or the hub fails, it is left for a
 * sweep.
 * @returns whether it is gone
 */
export async function dropContent(
  context: SealContext,
  path: string,
  record: ContentRecord | undefined,
): Promise<boolean> {
  if (record === undefined || record.inline || record.kept) return true
  try {
    await context.connection.delete(await contentPath(path, record.id), { anyVersion: true })
    return true
  } catch (error) {
    if (error instanceof MandateError) return false
    throw error
  }
}
