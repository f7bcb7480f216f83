import { ConflictError, NotFoundError, OutcomeUnknownError, PreconditionFailedError } from '../errors.ts'
import { backoff } from '../transport/backoff.ts'
import type { StoredFile } from './file.ts'
import type { CallOptions, Files } from './files.ts'
import { readFile } from './read.ts'
import { contentOf, type PutData } from './source.ts'
import { type PutResult, store } from './store.ts'

export interface UpdateOptions extends CallOptions {
  /** By default that of the version that is there, else as `put` chooses it. */
  contentType?: string
  /** Keeps each version that is replaced; see `history`. */
  keepHistory?: boolean
  /**
   * Whether the change may be made twice without harm (adding to a set, say; not counting up). Then an update whose
   * answer was lost is made again on what is there now, where it would else be an `OutcomeUnknownError`.
   */
  idempotent?: boolean
}

/**
 * What to store in place of what is there.
 * @param current `null` where nothing is
 * @returns `undefined` to leave it as it is
 */
export type Change = (current: StoredFile | null) => PutData | undefined | Promise<PutData | undefined>

/** Over how many times the length of a try those that failed are spread, at least. */
const attemptsApart = 4

/** Reads, changes and writes back; see `Connection.update`. */
export function updateFile(
  files: Files,
  path: string,
  change: Change,
  options: UpdateOptions = {},
): Promise<PutResult | null> {
  return files.versions.inTurn(path, async () => {
    const { now } = files.transport
    const tries = backoff(files.updateRetry, { now, random: files.random })
    for (;;) {
      const startedAt = now()
      const result = await tryUpdate(files, path, change, options)
      if (!(result instanceof Error)) return result
      // While one is at it, others may be: the longer it takes, the further they must spread.
      tries.widen(attemptsApart * (now() - startedAt))
      if (!(await tries.wait(0, options.signal))) throw result
    }
  })
}

/** @returns the refusal where the file was changed by others meanwhile */
async function tryUpdate(
  files: Files,
  path: string,
  change: Change,
  options: UpdateOptions,
): Promise<PutResult | null | PreconditionFailedError | ConflictError> {
  const current = await readOrNull(files, path, options)
  files.versions.saw(path, current?.etag ?? null)
  const data = await change(current)
  if (data === undefined) return null
  const condition = current === null ? { 'If-None-Match': '*' as const } : { 'If-Match': current.etag }
  const contentType = options.contentType ?? current?.contentType
  const { keepHistory = false, signal } = options
  // After a conflict the file is another one: it is read anew at once.
  const settings = {
    keepHistory,
    signal,
    retryConflicts: false,
    ...(contentType === undefined ? {} : { contentType }),
  }
  try {
    const result = await store(files.transport, path, contentOf(data), settings, condition)
    files.versions.saw(path, result.etag)
    return result
  } catch (error) {
    if (!(error instanceof PreconditionFailedError) && !(error instanceof ConflictError)) throw error
    if (error.answerLost && options.idempotent !== true) throw unknownOutcome(path, error)
    return error
  }
}

async function readOrNull(files: Files, path: string, options: CallOptions): Promise<StoredFile | null> {
  try {
    return await readFile(files.transport, path, options)
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}

/**
 * The same bytes at the path would prove nothing: two clients that count up from one number write the same ones.
 */
function unknownOutcome(path: string, error: PreconditionFailedError | ConflictError): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `whether the update of "${path}" took effect is not known: its answer was lost, and the file has changed since; read it and decide, or pass idempotent: true where making the change twice does no harm`,
    { status: error.status, hubError: error.hubError, etag: error.etag, cause: error },
  )
}
