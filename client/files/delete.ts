import { NotFoundError, PreconditionFailedError } from '../errors.ts'
import type { CallOptions, Files } from './files.ts'
import { headFile } from './head.ts'

export interface DeleteOptions extends CallOptions {
  /** Deletes whatever is there, also a version that is younger than the one that this connection has seen. */
  anyVersion?: boolean
  /** Deletes the version of this etag only. */
  ifMatch?: string
  /** Keeps the version that goes; see `history`. */
  keepHistory?: boolean
}

/** Deletes a file; see `Connection.delete`. */
export function deleteFile(files: Files, path: string, options: DeleteOptions = {}): Promise<boolean> {
  return files.versions.inTurn(path, async () => {
    const isDeleted = await remove(files, path, options)
    files.versions.saw(path, null)
    return isDeleted
  })
}

async function remove(files: Files, path: string, options: DeleteOptions): Promise<boolean> {
  try {
    await request(files, path, options)
    return true
  } catch (error) {
    // The first try did it, and its answer was lost.
    if (error instanceof NotFoundError) return error.answerLost
    if (!(error instanceof PreconditionFailedError)) throw error
    if ((await headFile(files.transport, path, options)) === null) return error.answerLost
    throw refusedDelete(path, error)
  }
}

function request({ transport, versions }: Files, path: string, options: DeleteOptions): Promise<Response> {
  const version = options.ifMatch ?? (options.anyVersion ? null : versions.of(path)) ?? null
  return transport.request({
    method: 'DELETE',
    url: transport.hubPath('delete', path),
    headers: version === null ? {} : { 'If-Match': version },
    needs: [{ ability: options.keepHistory ? 'gaia/archive' : 'gaia/delete', path }],
    signal: options.signal,
  })
}

function refusedDelete(path: string, error: PreconditionFailedError): PreconditionFailedError {
  return new PreconditionFailedError(
    `"${path}" was not deleted: it holds a version that this connection has not seen. Read it, or pass anyVersion: true`,
    { status: error.status, hubError: error.hubError, etag: error.etag, cause: error },
  )
}
