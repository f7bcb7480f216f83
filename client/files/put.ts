import { PreconditionFailedError } from '../errors.ts'
import type { SealFor } from '../seal/seal-for.ts'
import type { Progress, Transport } from '../transport/transport.ts'
import type { CallOptions, Files } from './files.ts'
import { etagIfStored } from './recognize.ts'
import { type Content, contentOf, type PutData } from './source.ts'
import { type Condition, type PutResult, store } from './store.ts'

export type { PutResult } from './store.ts'

/** How to store a file. At most one of `overwrite`, `ifMatch` and `createOnly` makes sense. */
export interface PutOptions extends CallOptions {
  /** By default that of the Blob, `text/plain; charset=utf-8` for a string, else `application/octet-stream`. */
  contentType?: string
  /** Replaces whatever is there. */
  overwrite?: boolean
  /** Replaces the version of this etag only, whatever this connection has seen. */
  ifMatch?: string
  /** Stores only where nothing is, whatever this connection has seen. */
  createOnly?: boolean
  /** Keeps the version that is replaced; see `history`. */
  keepHistory?: boolean
  /**
   * Bytes of a stream, where they are known: one that is too large is then refused before it is sent, and a large one
   * can go to the storage itself where the hub offers that.
   */
  size?: number
  /**
   * Seals the file for these recipients, or for the same as before; see docs/sealed-files.md. Only on a connection with
   * `sealing`.
   */
  sealFor?: readonly SealFor[] | 'same'
  /** On a connection with `sealing`: stores the file for all to read, even where a sealed one is. */
  plain?: boolean
  /** Called as bytes are sent. */
  onProgress?: (progress: Progress) => void
}

/**
 * Stores a file; see `Connection.put`. The data are taken at the call: what becomes of them later changes nothing.
 * @param check runs when it is this put's turn at the path; where it throws, nothing is stored
 */
export async function putFile(
  files: Files,
  path: string,
  data: PutData,
  options: PutOptions = {},
  check?: () => Promise<void>,
): Promise<PutResult> {
  return putContent(files, path, contentOf(data, options.size), options, check)
}

/** The same with a body that is ready. */
export function putContent(
  files: Files,
  path: string,
  content: Content,
  options: PutOptions = {},
  check?: () => Promise<void>,
): Promise<PutResult> {
  return files.versions.inTurn(path, async () => {
    await check?.()
    const condition = conditionOf(files, path, options)
    const result = await storeOrRecognize(files.transport, path, content, options, condition)
    files.versions.saw(path, result.etag)
    return result
  })
}

/** By default nothing is replaced that this connection has not seen. */
function conditionOf(files: Files, path: string, options: PutOptions): Condition {
  if (options.overwrite) return {}
  if (options.createOnly) return { 'If-None-Match': '*' }
  const version = options.ifMatch ?? files.versions.of(path) ?? null
  return version === null ? { 'If-None-Match': '*' } : { 'If-Match': version }
}

/**
 * A store whose answer was lost is refused when it is tried again, by its own success: then what is at the path is
 * what was to be stored.
 */
async function storeOrRecognize(
  transport: Transport,
  path: string,
  content: Content,
  options: PutOptions,
  condition: Condition,
): Promise<PutResult> {
  try {
    return await store(transport, path, content, options, condition)
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error
    const etag = error.answerLost ? await etagIfStored(transport, path, content.body, options.signal) : null
    if (etag === null) throw refusedPut(path, error)
    return { path, etag, publicUrl: transport.fileUrl(path) }
  }
}

function refusedPut(path: string, error: PreconditionFailedError): PreconditionFailedError {
  const refusal = new PreconditionFailedError(
    `nothing was stored at "${path}": it holds a version that this connection has not seen. Use update() to change what is there, or put() with overwrite: true to replace it whatever it is`,
    { status: error.status, hubError: error.hubError, etag: error.etag, cause: error },
  )
  refusal.answerLost = error.answerLost
  return refusal
}
