import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TransferError } from '../../errors.ts'
import type { FileInfo, FileStream, Unsealed } from '../../files/file.ts'
import { isOwnTemporary, temporaryName } from './walk.ts'

/** Opens files: a connection, or what opens sealed ones. */
export interface ByteSource {
  get(
    path: string,
    options: { asStream: true; signal: AbortSignal; range?: { first: number } },
  ): Promise<FileStream>
}

export interface DownloadOptions {
  /** In the bucket. */
  path: string
  /** Where it will be; the bytes are collected beside it. */
  file: string
  /** The version that is there, as far as is known: what an earlier run left of it is used again. */
  known: { readonly etag: string; readonly size: number | null }
  signal: AbortSignal
  /** Bytes so far. */
  onBytes: (bytes: number) => void
}

export interface Downloaded extends FileInfo, Unsealed {
  /** The whole file, synced, waiting for its name. */
  readonly temporary: string
}

/**
 * Fetches a file into a temporary one beside its place; the caller commits it. What a run leaves when it is ended is
 * gone on with by the next one, as long as the version is the same.
 */
export async function downloadFile(source: ByteSource, options: DownloadOptions): Promise<Downloaded> {
  const { path, file, known, signal, onBytes } = options
  const [opened, start] = await openFrom(source, options, await sizeOf(partOf(file, known.etag)))
  const temporary = partOf(file, opened.etag)
  try {
    await writeStream(temporary, opened.stream, start, opened.size, onBytes)
  } catch (error) {
    // An abort is told as what it is, not as what it did to the file.
    signal.throwIfAborted()
    throw error
  }
  return { ...opened, path, temporary }
}

/** Opens the file where an earlier run ended, or from its beginning where that was another version. */
async function openFrom(
  source: ByteSource,
  { path, known, signal }: DownloadOptions,
  from: number,
): Promise<[FileStream, number]> {
  // The last byte is fetched again, so that there is always something to ask for.
  const first = Math.min(from, (known.size ?? from) - 1)
  if (first > 0) {
    const opened = await source.get(path, { asStream: true, signal, range: { first } })
    if (opened.etag === known.etag) return [opened, first]
    await opened.stream.cancel()
  }
  return [await source.get(path, { asStream: true, signal }), 0]
}

async function writeStream(
  temporary: string,
  stream: ReadableStream<Uint8Array>,
  start: number,
  size: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const handle = await open(temporary, constants.O_RDWR | constants.O_CREAT, 0o666)
  try {
    let at = start
    if (start === 0) await handle.truncate(0)
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
      await writeAll(handle, chunk, at)
      at += chunk.length
      onBytes(at)
    }
    if (at !== size) throw new TransferError(`the file came short: ${at} of ${size} bytes`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** At a position: two runs that fetch one version into one file write the same bytes. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done)
    done += bytesWritten
  }
}

/** One file for each version. */
function partOf(file: string, etag: string): string {
  const tag = createHash('sha256').update(etag.replaceAll('"', '')).digest('hex').slice(0, 12)
  return join(dirname(file), temporaryName(basename(file), tag))
}

async function sizeOf(file: string): Promise<number> {
  try {
    const handle = await open(file, 'r')
    try {
      return (await handle.stat()).size
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** Removes what downloads of other versions of a file have left. */
export async function removeParts(file: string): Promise<void> {
  const prefix = temporaryName(basename(file), '').replace(/\.mandate-part$/, '')
  for (const name of await readdir(dirname(file))) {
    if (isOwnTemporary(name) && name.startsWith(prefix)) await rm(join(dirname(file), name), { force: true })
  }
}
