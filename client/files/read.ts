import { TransferError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { infoFrom, lengthFrom } from './answers.ts'
import { type StoredFile, storedFile } from './file.ts'
import type { CallOptions } from './files.ts'

/** Reads a whole file. @throws {NotFoundError} */
export async function readFile(
  transport: Transport,
  path: string,
  options: CallOptions = {},
): Promise<StoredFile> {
  const response = await transport.request({
    method: 'GET',
    url: transport.fileUrl(path),
    signal: options.signal,
    cache: 'no-cache',
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const length = lengthFrom(response.headers)
  if (length !== null && length !== bytes.length) throw new TransferError('the file came short')
  return storedFile(infoFrom(path, response.headers, bytes.length), bytes)
}
