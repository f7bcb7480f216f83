import { BadAnswerError, NotFoundError, PayloadTooLargeError, PreconditionFailedError } from '../errors.ts'
import type { SealFor } from '../seal/seal-for.ts'
import type { Progress, Transport } from '../transport/transport.ts'
import { download } from './download.ts'
import type { CallOptions, Files } from './files.ts'
import { haveSameBytes } from './same-bytes.ts'
import { type Content, contentOf, type PutData } from './source.ts'

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
  /** Bytes of a stream, where they are known: one that is too large is then refused before it is sent. */
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

/** What a store gives. */
export interface PutResult {
  readonly path: string
  /** Names the version that was stored. */
  readonly etag: string
  /** Where anybody can read it. */
  readonly publicUrl: string
}

/** What must hold at the path when the store takes effect; nothing for no condition. */
export type Condition = { readonly 'If-Match'?: string; readonly 'If-None-Match'?: '*' }

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
    const etag = error.answerLost ? await etagIfStored(transport, path, content, options.signal) : null
    if (etag === null) throw refusedPut(path, error)
    return { path, etag, publicUrl: transport.fileUrl(path) }
  }
}

/** One conditional store, tried again as the transport does. */
export async function store(
  transport: Transport,
  path: string,
  { body, contentType }: Content,
  options: PutOptions & { retryConflicts?: boolean },
  condition: Condition,
): Promise<PutResult> {
  checkSize(transport, body.size)
  const type = options.contentType ?? contentType
  const ability = options.keepHistory ? 'gaia/archive' : 'gaia/store'
  const response = await transport.request({
    method: 'POST',
    url: transport.hubPath('store', path),
    headers: { 'Content-Type': type, ...condition },
    body,
    needs: [{ ability, path, size: body.size, contentType: type }],
    signal: options.signal,
    onProgress: options.onProgress,
    retryConflicts: options.retryConflicts ?? true,
  })
  return { path, etag: await readEtag(response), publicUrl: transport.fileUrl(path) }
}

function checkSize({ hub }: Transport, size: number | null): void {
  if (size === null || hub.maxFileBytes === null || size <= hub.maxFileBytes) return
  throw new PayloadTooLargeError(`a file may have at most ${hub.maxFileBytes} bytes at this hub`)
}

async function readEtag(response: Response): Promise<string> {
  const answer: unknown = await response.json().catch(() => null)
  const etag = typeof answer === 'object' && answer !== null && 'etag' in answer ? answer.etag : null
  if (typeof etag !== 'string') throw new BadAnswerError('the hub took the file and did not say its etag')
  return etag
}

async function etagIfStored(
  transport: Transport,
  path: string,
  { body }: Content,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    const found = await download(transport, path, { signal })
    if ('notModified' in found) return null
    if (body.size !== null && found.length !== null && found.length !== body.size) {
      await found.stream.cancel()
      return null
    }
    const wanted = new Response(await body.open()).body ?? new Blob().stream()
    return (await haveSameBytes(wanted, found.stream)) ? found.info.etag : null
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
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
