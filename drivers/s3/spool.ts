import { createReadStream } from 'node:fs'
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BodyPart, BodyParts } from '../body-parts.ts'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { type Content, putObject, type Target } from './put.ts'
import type { Store } from './store.ts'

/** The most that S3 takes in one request. */
const maxPutBytes = 5 * 1024 ** 3

/**
 * Stores a body by way of a temporary file, so that it is one request, which the backend does hold to conditions.
 * @throws `backend` for a body of more than 5 GiB
 */
export async function putSpooled(
  store: Store,
  target: Target,
  first: BodyPart,
  rest: BodyParts,
): Promise<ObjectInfo> {
  const file = await openUnnamed(store.tempFolder)
  try {
    const size = await spool(file, first, rest)
    return await putObject(store, target, contentOf(file, size))
  } finally {
    await file.close()
  }
}

/** What is written at once. */
const pieceBytes = 1024 * 1024

/** A file without a name, which is gone with its handle, however this process ends. */
async function openUnnamed(folder: string): Promise<FileHandle> {
  try {
    const own = await mkdtemp(join(folder, 'mandate-s3-'))
    try {
      return await open(join(own, 'body'), 'wx+', 0o600)
    } finally {
      await rm(own, { recursive: true })
    }
  } catch (error) {
    throw new DriverError('unavailable', 'no temporary file can be made', { cause: error })
  }
}

async function spool(file: FileHandle, first: BodyPart, rest: BodyParts): Promise<number> {
  let size = 0
  for (let part = first; ; part = await rest.take(pieceBytes)) {
    size += part.bytes.length
    if (size > maxPutBytes) {
      throw new DriverError('backend', 'this storage takes at most 5 GiB under a condition')
    }
    await append(file, part.bytes)
    if (part.last) return size
  }
}

async function append(file: FileHandle, bytes: Buffer): Promise<void> {
  try {
    await file.appendFile(bytes)
  } catch (error) {
    throw new DriverError('unavailable', 'the temporary file cannot be written', { cause: error })
  }
}

function contentOf(file: FileHandle, size: number): Content {
  const body = () => createReadStream('', { fd: file.fd, autoClose: false, start: 0 })
  return { size, body, isStream: true }
}
