import type { Bytes } from '../bytes.ts'

/** A frame as it is stored. */
export interface SealedFrame {
  /** The ciphertext, then the tag, in pieces. */
  readonly pieces: readonly Bytes[]
  /** SHA-256 over all of them. */
  readonly hash: Bytes
}

/** A sealed frame that is read. */
export interface FrameOpening {
  /** Takes the next bytes of it; in all, as many as were announced. */
  update(part: Uint8Array): void
  /**
   * Once all of it is there.
   * @param hash that it must have
   * @returns the plain text in pieces; `null` where the hash is another, or the key did not seal it under the nonce
   */
  end(hash: Uint8Array): readonly Bytes[] | null | Promise<readonly Bytes[] | null>
}

/**
 * AES-256-GCM of frames, and SHA-256 of what comes out, under the key of one content. What `#frame-cipher` names is that
 * of the platform: `web` by WebCrypto, beside the transfer; `node` as the bytes come, since there WebCrypto's copies, and
 * the way to another thread and back, cost more than the work itself.
 */
export interface FrameCipher {
  /** @param nonce 12 bytes, never the same twice under one key */
  seal(plain: Bytes, nonce: Bytes): SealedFrame | Promise<SealedFrame>
  /** @param length of the sealed frame with its tag, in bytes */
  open(nonce: Bytes, length: number): FrameOpening
}

export const tagBytes = 16
