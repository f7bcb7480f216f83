import type { Readable } from 'node:stream'
import { readBody } from '../body.ts'
import {
  absent,
  closeAtOnce,
  closeFile,
  createFlags,
  openFile,
  statOpenFile,
  syncFile,
  unless,
  unlink,
  writeAll,
} from './calls.ts'
import { asDriver } from './errors.ts'
import { seal } from './seal.ts'
import type { Storage } from './storage.ts'
import { identityOf, makeEtag, type Version } from './version.ts'

/** A version that nobody knows yet: a whole, durable file of our own. */
export interface TempFile {
  readonly path: string
  readonly version: Version
}

export interface BodyOptions {
  readonly contentType: string
  readonly size?: number | undefined
}

/**
 * Streams a body into a new file. When anything fails, nothing of it is left.
 * @throws the error of the body as it is, and a DriverError for what the file system refuses
 */
export function receive(storage: Storage, body: Readable, options: BodyOptions): Promise<TempFile> {
  return create(storage, async (fd, path) => {
    for await (const chunk of readBody(body, options.size)) await asDriver(() => writeAll(fd, chunk))
    return { path, version: await asDriver(() => finish(storage, fd, options.contentType)) }
  })
}

/** The path of a new file with these bytes. */
export function createFile(storage: Storage, bytes: Uint8Array, durable: boolean): Promise<string> {
  return create(storage, async (fd, path) => {
    await writeAll(fd, bytes)
    if (durable && storage.sync.enabled) await syncFile(fd)
    return path
  })
}

/** Makes an open, complete file of ours a version: names it, seals it and makes it durable. */
export async function finish(storage: Storage, fd: number, contentType: string): Promise<Version> {
  const file = identityOf(statOpenFile(fd))
  const etag = makeEtag()
  const sealed = storage.attributes && seal(fd, file, etag, contentType)
  if (storage.sync.enabled) await syncFile(fd)
  return { ...file, etag, contentType, sealed }
}

/** Removes a temp file; one that is gone was committed. */
export async function discard(path: string): Promise<void> {
  await unless(unlink(path), absent, undefined)
}

async function create<T>(storage: Storage, fill: (fd: number, path: string) => Promise<T>): Promise<T> {
  const path = storage.temp.next()
  const fd = await asDriver(() => openFile(path, createFlags, 0o666))
  // Of a file that is given up, closing frees all that it holds.
  let close: (fd: number) => void | Promise<void> = closeFile
  try {
    const filled = await fill(fd, path)
    close = closeAtOnce
    return filled
  } catch (error) {
    await asDriver(() => discard(path))
    throw error
  } finally {
    await close(fd)
  }
}
