import { open, rm } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Connection } from '../../connect.ts'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import {
  commitBeside,
  commitNew,
  commitReplacing,
  isSameStamp,
  type LocalStamp,
  removeKnown,
  stampOf,
} from '../transfers/commit.ts'
import { type Downloaded, downloadFile } from '../transfers/download.ts'
import { placeBelow } from '../transfers/local-path.ts'
import { uploadFile } from '../transfers/upload.ts'
import { sha256Of } from './hash.ts'
import type { Step } from './plan.ts'
import type { SyncedFiles } from './state.ts'

/** What a step came to. `conflict`: both versions are kept, the local one under the name `kept`. */
export type Done =
  | { readonly what: 'uploaded' | 'downloaded' | 'deleted-here' | 'deleted-there' | 'same' | 'forgotten' }
  | { readonly what: 'kept'; readonly deleted: 'here' | 'there' }
  | { readonly what: 'conflict'; readonly kept: string }

export interface ApplyContext {
  readonly connection: Connection
  readonly folder: string
  /** Of the bucket; empty, or with a slash at its end. */
  readonly prefix: string
  readonly synced: SyncedFiles
  readonly keepHistory: boolean
  readonly signal: AbortSignal
  now(): number
}

/**
 * Does one step, and notes what both sides have then. Each side is changed only in the state that the step was planned
 * for: what somebody does meanwhile is kept.
 * @throws {CliError} `conflict` where a side has changed meanwhile and nothing was done
 */
export function applyStep(
  context: ApplyContext,
  step: Step,
  onBytes: (bytes: number) => void,
): Promise<Done> {
  switch (step.do) {
    case 'upload':
      return upload(context, step, onBytes)
    case 'download':
      return download(context, step, onBytes)
    case 'compare':
      return compare(context, step, onBytes)
    case 'delete-local':
      return deleteLocal(context, step)
    case 'delete-remote':
      return deleteRemote(context, step)
    case 'forget':
      context.synced.delete(step.path)
      return Promise.resolve({ what: 'forgotten' })
    case 'kept':
      return Promise.resolve({ what: 'kept', deleted: step.deleted })
  }
}

const sealedStart = Buffer.from('{"sealed":"mandate/')

type StepOf<K extends Step['do']> = Extract<Step, { do: K }>

async function upload(
  context: ApplyContext,
  { path, local, over }: StepOf<'upload'>,
  onBytes: (bytes: number) => void,
): Promise<Done> {
  const file = await placeBelow(context.folder, path)
  const sha256 = await sha256Of(file, context.signal)
  const known = context.synced.get(path)
  // Only its time has changed: it was touched, or copied back.
  if (over !== null && known?.etag === over && known.sha256 === sha256) {
    context.synced.set(path, { ...known, ...local })
    return { what: 'same' }
  }
  await send(context, path, file, { local, sha256, over }, onBytes)
  return { what: 'uploaded' }
}

interface Sent {
  local: LocalStamp
  sha256: string
  over: string | null
}

async function send(
  { connection, prefix, keepHistory, signal, synced }: ApplyContext,
  path: string,
  file: string,
  { local, sha256, over }: Sent,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const condition = over === null ? { createOnly: true } : { ifMatch: over }
  const contentType = (await isSealed(file)) ? { contentType: sealedType } : {}
  const put = { ...condition, ...contentType, ...(keepHistory ? { keepHistory } : {}), signal }
  const { etag } = await uploadFile(connection, { file, path: prefix + path, put, onBytes })
  // The state that was planned for: where the file was changed while it was sent, the next run sees that. Nobody knows
  // then which bytes went out.
  const isSame = isSameStamp(await stampOf(file), local)
  synced.set(path, { etag, ...local, sha256: isSame ? sha256 : '' })
}

/**
 * Whether a file is a sealed one as it was stored. Its name does not tell; and without its type it would be left out
 * where a folder is taken away from somebody, and its content swept away.
 */
async function isSealed(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const start = Buffer.alloc(sealedStart.length)
    await handle.read(start)
    return start.equals(sealedStart)
  } finally {
    await handle.close()
  }
}

async function download(
  context: ApplyContext,
  { path, remote, over }: StepOf<'download'>,
  onBytes: (bytes: number) => void,
): Promise<Done> {
  const file = await placeBelow(context.folder, path)
  const fetched = await fetchBeside(context, path, file, remote, onBytes)
  const sha256 = await sha256Of(fetched.temporary, context.signal)
  const kept =
    over === null
      ? await placeNew(fetched, file)
      : await commitReplacing(fetched.temporary, file, over, context.now())
  await noteFetched(context, path, file, fetched, sha256)
  return kept === null ? { what: 'downloaded' } : { what: 'conflict', kept: relative(context.folder, kept) }
}

async function placeNew({ temporary }: Downloaded, file: string): Promise<null> {
  await commitNew(temporary, file)
  return null
}

/** Both sides have something: the same, or each what the other has not. Then both are kept. */
async function compare(
  context: ApplyContext,
  { path, local, remote }: StepOf<'compare'>,
  onBytes: (bytes: number) => void,
): Promise<Done> {
  const file = await placeBelow(context.folder, path)
  const fetched = await fetchBeside(context, path, file, remote, onBytes)
  const [here, there] = [
    await sha256Of(file, context.signal),
    await sha256Of(fetched.temporary, context.signal),
  ]
  if (here === there) {
    await rm(fetched.temporary)
    if (!isSameStamp(await stampOf(file), local)) throw changedMeanwhile(path)
    context.synced.set(path, { etag: fetched.etag, ...local, sha256: here })
    return { what: 'same' }
  }
  const kept = await commitBeside(fetched.temporary, file, context.now())
  await noteFetched(context, path, file, fetched, there)
  const keptPath = relative(context.folder, kept)
  const stamp = await stampOf(kept)
  if (stamp !== null) await send(context, keptPath, kept, { local: stamp, sha256: here, over: null }, onBytes)
  return { what: 'conflict', kept: keptPath }
}

function fetchBeside(
  { connection, prefix, signal }: ApplyContext,
  path: string,
  file: string,
  known: { etag: string; size: number },
  onBytes: (bytes: number) => void,
): Promise<Downloaded> {
  return downloadFile(connection, { path: prefix + path, file, known, signal, onBytes })
}

async function noteFetched(
  { synced }: ApplyContext,
  path: string,
  file: string,
  { etag }: Downloaded,
  sha256: string,
): Promise<void> {
  const stamp = await stampOf(file)
  if (stamp !== null) synced.set(path, { etag, ...stamp, sha256 })
}

async function deleteLocal(
  { folder, synced }: ApplyContext,
  { path, local }: StepOf<'delete-local'>,
): Promise<Done> {
  const file = await placeBelow(folder, path)
  if (!(await removeKnown(file, local, folder))) throw changedMeanwhile(path)
  synced.delete(path)
  return { what: 'deleted-here' }
}

async function deleteRemote(
  { connection, prefix, keepHistory, signal, synced }: ApplyContext,
  { path, etag }: StepOf<'delete-remote'>,
): Promise<Done> {
  await connection.delete(prefix + path, { ifMatch: etag, signal, ...(keepHistory ? { keepHistory } : {}) })
  synced.delete(path)
  return { what: 'deleted-there' }
}

function changedMeanwhile(path: string): CliError {
  return new CliError('conflict', `${path} was changed meanwhile; run sync again`)
}
