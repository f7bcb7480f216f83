import { frameCipher } from '#frame-cipher'
import { type Bytes, concat, equalBytes, sha256 } from './bytes.ts'
import { type Chunk, inChunks, mapAhead } from './chunks.ts'
import { SealError } from './errors.ts'
import { tagBytes } from './frame-cipher/frame-cipher.ts'

/** Bytes of plain text in a frame, but for the last. Larger ones are sealed no faster, and a range costs more. */
export const defaultFrame = 256 * 1024
export const maxFrame = 1024 * 1024
export const hashBytes = 32

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
  key: CryptoKey,
  frame: number,
  onEnd: (content: SealedContent) => void,
): AsyncGenerator<Bytes> {
  const hashes: Bytes[] = []
  let size = 0
  const cipher = frameCipher(key)
  const seal = async ({ bytes, isLast }: Chunk, index: number) => {
    const sealed = await cipher.encrypt(bytes, nonce(index, isLast))
    return { sealed, hash: await sha256(sealed) }
  }
  for await (const { sealed, hash } of mapAhead(inChunks(source, frame), seal)) {
    hashes.push(hash)
    size += sealed.length - tagBytes
    yield sealed
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
  key: CryptoKey,
  plan: FramePlan,
): AsyncGenerator<Bytes> {
  const { frames } = layoutOf(plan.size, plan.frame)
  const cipher = frameCipher(key)
  let next = plan.first
  const open = async ({ bytes }: Chunk, offset: number) => {
    const index = plan.first + offset
    if (index >= plan.end) throw damaged()
    const expected = plan.hashes.subarray(index * hashBytes, (index + 1) * hashBytes)
    const [hash, plain] = await Promise.all([
      sha256(bytes),
      cipher.decrypt(bytes, nonce(index, index === frames - 1)),
    ])
    if (plain === null || !equalBytes(hash, expected)) throw damaged()
    return plain
  }
  for await (const plain of mapAhead(inChunks(source, plan.frame + tagBytes), open)) {
    next += 1
    yield plain
  }
  if (next !== plan.end) throw damaged()
}

export function damaged(): SealError {
  return new SealError(
    'damaged',
    'the content is not the one that was sealed: it was changed, cut or replaced',
  )
}
