import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CliError } from '../cli-error.ts'
import type { Stored, StoreOptions, Storing } from '../sealed/storing.ts'
import { contentTypeOf } from './content-type.ts'

/** Bytes read at once: large enough for the disk, small enough for many transfers at a time. */
const readAheadBytes = 256 * 1024

export interface UploadOptions {
  /** What is stored, and where. */
  file: string
  path: string
  put: StoreOptions
  /** Bytes so far. */
  onBytes: (bytes: number) => void
}

export interface Uploaded extends Stored {
  readonly size: number
  /** Whether the file was changed while it was read: what is stored may be a mixture. */
  readonly changedMeanwhile: boolean
}

/** Sends a file as it is read; it is opened anew for each try. @throws {CliError} where it is none */
export async function uploadFile(storing: Storing, options: UploadOptions): Promise<Uploaded> {
  const { file, path, put, onBytes } = options
  const before = await stat(file)
  if (!before.isFile()) throw new CliError('usage', `${file} is not a file`)
  const result = await storing.put(path, () => createReadStream(file, { highWaterMark: readAheadBytes }), {
    contentType: contentTypeOf(path),
    ...put,
    size: before.size,
    onProgress: ({ loaded }) => onBytes(loaded),
  })
  const after = await stat(file)
  const changedMeanwhile = after.mtimeMs !== before.mtimeMs || after.size !== before.size
  return { ...result, size: before.size, changedMeanwhile }
}
