import { NotFoundError, RangeNotSatisfiableError, TransferError } from '../../errors.ts'
import { download } from '../../files/download.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Bytes } from '../bytes.ts'
import { iterate, toBytes } from '../chunks.ts'
import { SealError } from '../errors.ts'
import { tagBytes } from '../frame-cipher/frame-cipher.ts'
import { checkHashes, damaged, hashBytes, layoutOf, openFrames } from '../frames.ts'
import { contentPath } from './content-path.ts'
import type { OpenedObject } from './stored-object.ts'

/** Which part of a content is read, and from where. */
export interface ContentOptions {
  signal?: AbortSignal | undefined
  /** Bytes of the plain text: from `first` to `last`, both included, or to the end. */
  range?: { readonly first: number; readonly last?: number }
  /** A former version of the file, by its own path. */
  from?: string
}

/**
 * The plain text of an opened file, or of a range of it. The hashes of the frames come first, so that every frame is
 * held to what was signed before anything of it is given out.
 */
export async function openContent(
  transport: Transport,
  object: OpenedObject,
  options: ContentOptions = {},
): Promise<AsyncGenerator<Bytes>> {
  const { size, frame, digest, inline } = object.envelope.content
  const { frames, framesBytes, sealedBytes } = layoutOf(size, frame)
  const wanted = frameRange(size, frame, frames, options.range)
  const stored = await sealedBytesOf(transport, object, options)
  const isSmall = frames === 1
  const small = isSmall
    ? await (inline ? toBytes(atMost(object.rest, sealedBytes)) : stored(0, sealedBytes))
    : null
  if (small !== null && small.length !== sealedBytes) throw damaged()
  if (small === null && inline) await object.rest.return(undefined)
  const hashes = small?.slice(framesBytes) ?? (await stored(framesBytes, frames * hashBytes))
  await checkHashes(hashes, digest)
  const stride = frame + tagBytes
  const start = wanted.first * stride
  const end = Math.min(wanted.end * stride, framesBytes)
  const source =
    small === null ? await stored.stream(start, end - start) : iterate(small.subarray(0, framesBytes))
  const plan = { frame, size, first: wanted.first, end: wanted.end, hashes }
  return cut(openFrames(source, object.opened.keys.frames, plan), wanted.skip, wanted.length)
}

interface FrameRange {
  first: number
  end: number
  /** Bytes to leave out of the first frame. */
  skip: number
  length: number
}

function frameRange(size: number, frame: number, frames: number, range: ContentOptions['range']): FrameRange {
  const first = Math.min(range?.first ?? 0, size)
  const end = Math.min((range?.last ?? size - 1) + 1, size)
  if (!Number.isSafeInteger(first) || first < 0 || end < first || (range !== undefined && end === first)) {
    throw new TransferError('the range lies outside of the file', { code: 'range-not-satisfiable' })
  }
  const firstFrame = Math.min(Math.floor(first / frame), frames - 1)
  const endFrame = Math.max(firstFrame + 1, Math.ceil(end / frame))
  return { first: firstFrame, end: endFrame, skip: first - firstFrame * frame, length: end - first }
}

async function* cut(source: AsyncGenerator<Bytes>, skip: number, length: number): AsyncGenerator<Bytes> {
  let [toSkip, left] = [skip, length]
  for await (const bytes of source) {
    const part = bytes.subarray(toSkip, toSkip + left)
    toSkip = Math.max(0, toSkip - bytes.length)
    left -= part.length
    if (part.length > 0) yield part
  }
}

/** Without a length of its own a stream could go on for ever. */
async function* atMost(source: AsyncGenerator<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const part of source) {
    left -= part.length
    if (left < 0) throw damaged()
    yield part
  }
}

interface StoredContent {
  (start: number, length: number): Promise<Bytes>
  stream(start: number, length: number): Promise<AsyncGenerator<Uint8Array>>
}

/** Reads ranges of the sealed content, wherever it lies. */
async function sealedBytesOf(
  transport: Transport,
  { envelope, info, start }: OpenedObject,
  { signal, from }: ContentOptions,
): Promise<StoredContent> {
  const { inline, id, size, frame } = envelope.content
  const { sealedBytes } = layoutOf(size, frame)
  const path = inline ? (from ?? envelope.path) : await contentPath(envelope.path, id)
  const offset = inline ? start : 0
  const stream = async (first: number, length: number) => {
    const range = { first: offset + first, last: offset + first + length - 1 }
    const part = await whereItIs(download(transport, path, { range, signal }), inline)
    if ('notModified' in part || (inline && part.info.etag !== info.etag)) throw replaced()
    const isWhole = inline || part.info.size === sealedBytes
    if (!isWhole || (part.length !== null && part.length !== length)) throw damaged()
    return clean(iterate(part.stream))
  }
  const whole = async (first: number, length: number) => toBytes(await stream(first, length))
  return Object.assign(whole, { stream })
}

/** What a reader says of a content that is not there, or is shorter, in terms of sealed files. */
async function whereItIs<T>(reading: Promise<T>, inline: boolean): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof RangeNotSatisfiableError) throw inline ? replaced() : damaged()
    if (!(error instanceof NotFoundError)) throw error
    throw new SealError('content-missing', 'the content of the sealed file is not there', { cause: error })
  }
}

/** What a transfer says of a file that was replaced, in terms of sealed files. */
async function* clean(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (error) {
    if (error instanceof TransferError && error.code === 'changed-while-reading') throw replaced()
    throw error
  }
}

function replaced(): SealError {
  return new SealError('replaced', 'the sealed file was replaced while it was read; read it anew')
}
