import type { Readable } from 'node:stream'
import { readBody } from '../body.ts'
import {
  absent,
  closeFile,
  createFlags,
  openFile,
  statOpenFile,
  syncFile,
  unless,
  unlink,
  writeAll,
} from './calls.ts'
import { asDriver, asDriverError } from './errors.ts'
import { type FileIdentity, identityOf } from './sidecar.ts'
import type { Storage } from './storage.ts'

/** A whole, durable file that nobody knows yet. */
export interface TempFile {
  readonly path: string
  readonly file: FileIdentity
}

/**
 * Streams a body into a new file. When anything fails, nothing of it is left.
 * @throws the error of the body as it is, and {@link DriverError} for what the file system refuses
 */
export async function receive(storage: Storage, body: Readable, size: number | undefined): Promise<TempFile> {
  const path = storage.temp.next()
  const fd = await asDriver(() => openFile(path, createFlags, 0o666))
  try {
    for await (const chunk of readBody(body, size)) await asDriver(() => writeAll(fd, chunk))
    return { path, file: await asDriver(() => finish(storage, fd)) }
  } catch (error) {
    await discard(path)
    throw error
  } finally {
    await closeFile(fd)
  }
}

/** The path of a new file with these bytes. */
export async function createFile(storage: Storage, bytes: Uint8Array): Promise<string> {
  const path = storage.temp.next()
  const fd = await openFile(path, createFlags, 0o666)
  try {
    await writeAll(fd, bytes)
    if (storage.sync.enabled) await syncFile(fd)
    return path
  } catch (error) {
    await discard(path)
    throw error
  } finally {
    await closeFile(fd)
  }
}

async function finish(storage: Storage, fd: number): Promise<FileIdentity> {
  if (storage.sync.enabled) await syncFile(fd)
  return identityOf(await statOpenFile(fd))
}

/** Removes a temp file; one that is gone already was committed. */
export async function discard(path: string): Promise<void> {
  await unless(unlink(path), absent, undefined).catch((error: unknown) => {
    throw asDriverError(error)
  })
}
