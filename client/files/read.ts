import { TransferError } from '../errors.ts'
import { concatenated } from '../transport/read-bounded.ts'
import type { Transport } from '../transport/transport.ts'
import { type Download, type DownloadOptions, download } from './download.ts'
import { type FileStream, type NotModified, type StoredFile, storedFile } from './file.ts'

export interface GetOptions extends DownloadOptions {
  /** The most bytes to hold in memory; a larger file is a `TransferError`. 1 GiB by default. */
  maxBytes?: number
  /** On a connection with `sealing`: takes a file that all can read, even where a sealed one was seen before. */
  plain?: boolean
}

const defaultMaxBytes = 1_073_741_824
/** How often to begin anew when the file is replaced while it is read. */
const maxRestarts = 5

/** Reads a file, or a part of it, into memory. @throws {NotFoundError} */
export async function readFile(
  transport: Transport,
  path: string,
  options: GetOptions = {},
): Promise<StoredFile> {
  const file = await readUnlessSame(transport, path, options)
  if (file.notModified) throw new TransferError('the reader gave no file')
  return file
}

/** The same, or word that the file is still the version of `ifNoneMatch`. */
export async function readUnlessSame(
  transport: Transport,
  path: string,
  options: GetOptions = {},
): Promise<StoredFile | NotModified> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await readOnce(transport, path, options)
    } catch (error) {
      const isReplaced = error instanceof TransferError && error.code === 'changed-while-reading'
      if (!isReplaced || restarts === maxRestarts) throw error
    }
  }
}

/** Opens a file, or a part of it, as a stream. */
export async function openFile(
  transport: Transport,
  path: string,
  options: DownloadOptions = {},
): Promise<FileStream | NotModified> {
  const opened = await download(transport, path, options)
  if ('notModified' in opened) return notModified(path, opened.notModified)
  return { ...opened.info, notModified: false, stream: opened.stream }
}

async function readOnce(
  transport: Transport,
  path: string,
  options: GetOptions,
): Promise<StoredFile | NotModified> {
  const opened = await download(transport, path, options)
  if ('notModified' in opened) return notModified(path, opened.notModified)
  const bytes = await readAll(opened, options.maxBytes ?? defaultMaxBytes)
  // Where nobody has said the right length, what came is the file.
  const isAsSaid = opened.length === bytes.length
  return storedFile(isAsSaid ? opened.info : { ...opened.info, size: bytes.length }, bytes)
}

async function readAll({ stream, length }: Download, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = stream.getReader()
  if ((length ?? 0) > maxBytes) {
    await reader.cancel()
    throw tooLarge(maxBytes)
  }
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    bytes += next.value.length
    if (bytes <= maxBytes) continue
    await reader.cancel()
    throw tooLarge(maxBytes)
  }
  return concatenated(chunks, bytes)
}

function tooLarge(maxBytes: number): TransferError {
  return new TransferError(
    `the file has more than ${maxBytes} bytes; read it as a stream, or raise maxBytes`,
    {
      code: 'too-large',
    },
  )
}

function notModified(path: string, etag: string): NotModified {
  return { notModified: true, path, etag }
}
