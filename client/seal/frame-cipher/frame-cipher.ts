import type { Bytes } from '../bytes.ts'

/**
 * AES-256-GCM under the key of one content. `#frame-cipher` is the one of the platform: `web` by WebCrypto; `node` at
 * once, since there WebCrypto's copies, for another thread, cost several times what the work itself does.
 */
export interface FrameCipher {
  /**
   * @param nonce 12 bytes, never the same twice under one key
   * @returns the ciphertext, then the tag of 16 bytes
   */
  encrypt(plain: Bytes, nonce: Bytes): Bytes | Promise<Bytes>
  /**
   * @param sealed of any length
   * @returns `null` where the key did not seal this under this nonce
   */
  decrypt(sealed: Bytes, nonce: Bytes): Bytes | null | Promise<Bytes | null>
}

export const tagBytes = 16
