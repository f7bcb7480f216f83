import { BadAnswerError, PayloadTooLargeError, PreconditionFailedError } from '../errors.ts'
import type { Progress, Transport } from '../transport/transport.ts'
import type { CallOptions, Files } from './files.ts'
import { readFile } from './read.ts'
import { type Content, contentOf, type PutData } from './source.ts'

export interface PutOptions extends CallOptions {
  /** By default that of the Blob, `text/plain; charset=utf-8` for a string, else `application/octet-stream`. */
  contentType?: string
  /** Replaces whatever is there. */
  overwrite?: boolean
  /** Replaces this version only, whatever this connection has seen. */
  ifMatch?: string
  /** Stores only where nothing is, whatever this connection has seen. */
  createOnly?: boolean
  /** Keeps the version that is replaced; see `history`. */
  keepHistory?: boolean
  /** Bytes of a stream, where they are known: the hub can then refuse it before it is sent. */
  size?: number
  onProgress?: (progress: Progress) => void
}

/** What a store gives. */
export interface PutResult {
  readonly path: string
  readonly etag: string
  /** Where anybody can read it. */
  readonly publicUrl: string
}

type Condition = { readonly 'If-Match': string } | { readonly 'If-None-Match': '*' } | Record<never, never>

/** Stores a file; see `Connection.put`. */
export function putFile(
  files: Files,
  path: string,
  data: PutData,
  options: PutOptions = {},
): Promise<PutResult> {
  const content = contentOf(data, options.size)
  return files.versions.inTurn(path, async () => {
    try {
      const result = await store(files.transport, path, content, options, conditionOf(files, path, options))
      files.versions.saw(path, result.etag)
      return result
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error
      return afterRefusal(files, path, content, error)
    }
  })
}

/** By default nothing is replaced that this connection has not seen. */
function conditionOf(files: Files, path: string, options: PutOptions): Condition {
  if (options.overwrite) return {}
  if (options.createOnly) return { 'If-None-Match': '*' }
  const version = options.ifMatch ?? files.versions.of(path) ?? null
  return version === null ? { 'If-None-Match': '*' } : { 'If-Match': version }
}

/** One conditional store, tried again as the transport does. */
export async function store(
  transport: Transport,
  path: string,
  { body, contentType }: Content,
  options: PutOptions,
  condition: Condition,
): Promise<PutResult> {
  checkSize(transport, body.size)
  const response = await transport.request({
    method: 'POST',
    url: transport.hubPath('store', path),
    headers: { 'Content-Type': options.contentType ?? contentType, ...condition },
    body,
    needs: [{ ability: options.keepHistory ? 'gaia/archive' : 'gaia/store', path }],
    signal: options.signal,
    onProgress: options.onProgress,
  })
  return readResult(transport, path, response)
}

function checkSize({ hub }: Transport, size: number | null): void {
  if (size === null || hub.maxFileBytes === null || size <= hub.maxFileBytes) return
  throw new PayloadTooLargeError(`a file may have at most ${hub.maxFileBytes} bytes at this hub`)
}

/** A plain Gaia hub of old gives no etag; the reader is asked then. */
async function readResult(transport: Transport, path: string, response: Response): Promise<PutResult> {
  const answer = (await response.json()) as { etag?: unknown }
  if (typeof answer.etag !== 'string') throw new BadAnswerError('the hub stored the file and gave no etag')
  return { path, etag: answer.etag, publicUrl: transport.fileUrl(path) }
}

/**
 * A store whose answer was lost is refused when it is tried again, by its own success: then what is at the path is
 * what was to be stored.
 */
async function afterRefusal(
  files: Files,
  path: string,
  { body }: Content,
  error: PreconditionFailedError,
): Promise<PutResult> {
  const etag = error.answerLost ? await etagIfSame(files, path, body) : null
  if (etag === null) throw refusedPut(path, error)
  files.versions.saw(path, etag)
  return { path, etag, publicUrl: files.transport.fileUrl(path) }
}

async function etagIfSame(files: Files, path: string, body: Content['body']): Promise<string | null> {
  const wanted = new Uint8Array(await new Response(await body.open()).arrayBuffer())
  const found = await readFile(files.transport, path)
  if (found.bytes.length !== wanted.length || found.bytes.some((byte, i) => byte !== wanted[i])) return null
  return found.etag
}

function refusedPut(path: string, error: PreconditionFailedError): PreconditionFailedError {
  return new PreconditionFailedError(
    `"${path}" holds a version that this connection has not seen, so nothing was stored: use update() to change what is there, or put() with overwrite: true to replace it whatever it is`,
    { status: error.status, hubError: error.hubError, etag: error.etag, cause: error },
  )
}
