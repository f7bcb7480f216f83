import { frameCipher } from '#frame-cipher'
import { type Bytes, concat, equalBytes, sha256 } from './bytes.ts'
import { type Chunk, inChunks, mapAhead } from './chunks.ts'
import { SealError } from './errors.ts'
import { type FrameCipher, type FrameOpening, tagBytes } from './frame-cipher/frame-cipher.ts'

/** Bytes of plain text in a frame, but for the last. Larger ones are sealed no faster, and a range costs more. */
export const defaultFrame = 256 * 1024
export const maxFrame = 1024 * 1024
export const hashBytes = 32
/** Frames of one content: their hashes, 32 MiB of them, are held in memory. 256 GiB in frames of the default length. */
export const maxFrames = 1024 * 1024

/** How the sealed form of a content is laid out. */
export interface Layout {
  /** Frames, at least one. */
  readonly frames: number
  /** Bytes of all frames, in front of their hashes. */
  readonly framesBytes: number
  /** Bytes of all. */
  readonly sealedBytes: number
}

/** @param size bytes of plain text */
export function layoutOf(size: number, frame: number): Layout {
  const frames = Math.max(1, Math.ceil(size / frame))
  const framesBytes = size + frames * tagBytes
  return { frames, framesBytes, sealedBytes: framesBytes + frames * hashBytes }
}

/** What is known of a content when the last of it was sealed. */
export interface SealedContent {
  /** Bytes of plain text. */
  readonly size: number
  /** SHA-256 over the SHA-256 of each frame: what the sealer signs for. */
  readonly digest: Bytes
}

/**
 * Seals a content: AES-256-GCM, frame by frame, then the hashes of the frames. The nonce is the frame's number and
 * whether it is the last (the STREAM construction), so that none can be left out, moved or added. The key must be
 * fresh: it is used for one content.
 * @param onEnd called before the last part is given
 */
export async function* sealFrames(
  source: AsyncIterable<Uint8Array>,
  key: Bytes,
  frame: number,
  onEnd: (content: SealedContent) => void,
): AsyncGenerator<Bytes> {
  const hashes: Bytes[] = []
  let size = 0
  const cipher = frameCipher(key)
  // Used again and again: memory that is made for each frame is what the garbage collector would be busy with.
  const free: Bytes[] = []
  const allocate = () => free.pop() ?? new Uint8Array(frame)
  const seal = async ({ bytes, isLast }: Chunk, index: number) => {
    const sealed = await cipher.seal(bytes, nonce(index, isLast))
    free.push(new Uint8Array(bytes.buffer))
    return { ...sealed, bytes: bytes.length }
  }
  for await (const { pieces, hash, bytes } of mapAhead(inChunks(source, frame, allocate), seal)) {
    hashes.push(hash)
    size += bytes
    yield* pieces
  }
  const list = concat(...hashes)
  onEnd({ size, digest: await sha256(list) })
  yield list
}

/** Eleven bytes of the frame's number, then 1 for the last one. */
function nonce(index: number, isLast: boolean): Bytes {
  const iv = new Uint8Array(12)
  const view = new DataView(iv.buffer)
  view.setUint32(3, Math.floor(index / 2 ** 32))
  view.setUint32(7, index % 2 ** 32)
  iv[11] = isLast ? 1 : 0
  return iv
}

/** Which frames of a content a stream holds, and what they must be. */
export interface FramePlan {
  readonly frame: number
  /** Bytes of plain text in the whole content. */
  readonly size: number
  /** Numbers of the first frame in the stream, and of the one behind the last. */
  readonly first: number
  readonly end: number
  /** Of all frames of the content, in their order. */
  readonly hashes: Bytes
}

/** The hashes of the frames, held to what the sealer signed for. @throws {SealError} `damaged` */
export async function checkHashes(hashes: Bytes, digest: Bytes): Promise<void> {
  if (!equalBytes(await sha256(hashes), digest)) throw damaged()
}

/**
 * Opens consecutive frames. No byte is given out of a frame that is not the one that the sealer signed for.
 * @throws {SealError} `damaged`
 */
export async function* openFrames(
  source: AsyncIterable<Uint8Array>,
  key: Bytes,
  plan: FramePlan,
): AsyncGenerator<Bytes> {
  let next = plan.first
  const end = async (opening: FrameOpening, offset: number) => {
    const start = (plan.first + offset) * hashBytes
    const pieces = await opening.end(plan.hashes.subarray(start, start + hashBytes))
    if (pieces === null) throw damaged()
    return pieces
  }
  for await (const pieces of mapAhead(takeFrames(source, frameCipher(key), plan), end)) {
    next += 1
    yield* pieces
  }
  if (next !== plan.end) throw damaged()
}

/** Gives each frame once all of its bytes have come. */
async function* takeFrames(
  source: AsyncIterable<Uint8Array>,
  cipher: FrameCipher,
  { first, end, size, frame }: FramePlan,
): AsyncGenerator<FrameOpening> {
  const last = layoutOf(size, frame).frames - 1
  const lengthOf = (index: number) => (index === last ? size - last * frame : frame) + tagBytes
  let index = first
  let left = 0
  let opening: FrameOpening | null = null
  for await (const part of source) {
    for (let rest = part; rest.length > 0; ) {
      if (index >= end) throw damaged()
      if (opening === null) {
        left = lengthOf(index)
        opening = cipher.open(nonce(index, index === last), left)
      }
      const taken = rest.subarray(0, left)
      opening.update(taken)
      rest = rest.subarray(taken.length)
      left -= taken.length
      if (left > 0) continue
      yield opening
      opening = null
      index += 1
    }
  }
  if (opening !== null) throw damaged()
}

export function damaged(): SealError {
  return new SealError(
    'damaged',
    'the content is not the one that was sealed: it was changed, cut or replaced',
  )
}
