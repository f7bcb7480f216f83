import { NotFoundError } from '../errors.ts'
import type { CallOptions, Files } from './files.ts'

export interface DeleteOptions extends CallOptions {
  /** Deletes this version only. */
  ifMatch?: string
  /** Keeps the version that goes; see `history`. */
  keepHistory?: boolean
}

/**
 * Deletes a file; see `Connection.delete`.
 * @returns whether there was one
 */
export function deleteFile(files: Files, path: string, options: DeleteOptions = {}): Promise<boolean> {
  return files.versions.inTurn(path, async () => {
    const isDeleted = await remove(files, path, options)
    files.versions.saw(path, null)
    return isDeleted
  })
}

async function remove({ transport }: Files, path: string, options: DeleteOptions): Promise<boolean> {
  try {
    await transport.request({
      method: 'DELETE',
      url: transport.hubPath('delete', path),
      headers: options.ifMatch === undefined ? {} : { 'If-Match': options.ifMatch },
      needs: [{ ability: options.keepHistory ? 'gaia/archive' : 'gaia/delete', path }],
      signal: options.signal,
    })
    return true
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    // The first try did it, and its answer was lost.
    return error.answerLost
  }
}
