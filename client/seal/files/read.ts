import type { FileInfo, Unsealed } from '../../files/file.ts'
import type { Bytes } from '../bytes.ts'
import { toBytes, toStream } from '../chunks.ts'
import type { Recipient } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { type ContentOptions, openContent } from './content.ts'
import type { SealContext } from './context.ts'
import { type OpenOptions, openObject } from './open.ts'
import type { OpenedObject } from './stored-object.ts'

export interface ReadOptions extends OpenOptions, Pick<ContentOptions, 'range'> {
  onProgress?: (progress: { loaded: number; total: number }) => void
}

/** What is known of a sealed file that was opened. */
export interface SealedFile extends FileInfo, Required<Unsealed> {
  /** Bytes of the whole plain text. */
  readonly size: number
  /** That of the plain text. */
  readonly contentType: string
  readonly version: number
  /** Whose key opened it. */
  readonly openedBy: Recipient
}

export interface SealedBytes extends SealedFile {
  readonly notModified: false
  readonly bytes: Bytes
  text(): string
  json(): unknown
}

export interface SealedStream extends SealedFile {
  readonly notModified: false
  /** Gives no byte that its sealer has not signed for, and fails rather than end short. */
  readonly stream: ReadableStream<Bytes>
}

/** How often to begin anew when the file is replaced while it is read. */
const maxRestarts = 5

/** Opens a file, or a part of it, as a stream. */
export async function readStream(
  context: SealContext,
  path: string,
  options: ReadOptions = {},
): Promise<SealedStream> {
  return reading(context, path, options, async (object, plain) => ({
    ...describe(object),
    notModified: false as const,
    stream: toStream(plain),
  }))
}

/** Opens a file, or a part of it, in memory. */
export async function readBytes(
  context: SealContext,
  path: string,
  options: ReadOptions = {},
): Promise<SealedBytes> {
  return reading(context, path, options, async (object, plain) => {
    const bytes = await toBytes(plain)
    const text = () => new TextDecoder().decode(bytes)
    return {
      ...describe(object),
      notModified: false as const,
      bytes,
      text,
      json: () => JSON.parse(text()) as unknown,
    }
  })
}

export function describe({ info, envelope, opened }: OpenedObject): SealedFile {
  return {
    path: envelope.path,
    etag: info.etag,
    modifiedMs: info.modifiedMs,
    size: envelope.content.size,
    contentType: opened.type,
    version: envelope.version,
    sealedBy: envelope.sealer,
    contentBy: opened.by,
    openedBy: opened.openedBy,
  }
}

/**
 * Whoever replaces a file deletes its former content: then there is a new envelope, and it is read anew. Where the
 * envelope is the same twice, its content is lost.
 */
async function reading<T>(
  context: SealContext,
  path: string,
  options: ReadOptions,
  use: (object: OpenedObject, plain: AsyncGenerator<Bytes>) => Promise<T>,
): Promise<T> {
  let former = ''
  for (let restarts = 0; ; restarts++) {
    const object = await openObject(context, path, options)
    try {
      const plain = await openContent(context.connection.transport, object, options)
      return await use(object, counted(plain, options))
    } catch (error) {
      await object.rest.return(undefined)
      const isReplaced = error instanceof SealError && ['content-missing', 'replaced'].includes(error.code)
      if (!isReplaced || restarts === maxRestarts || object.info.etag === former) throw error
      former = object.info.etag
    }
  }
}

async function* counted(
  source: AsyncGenerator<Bytes>,
  { onProgress, range }: ReadOptions,
): AsyncGenerator<Bytes> {
  let loaded = 0
  for await (const bytes of source) {
    loaded += bytes.length
    onProgress?.({ loaded, total: range?.last === undefined ? loaded : range.last - range.first + 1 })
    yield bytes
  }
}
