import { type Bytes, equalBytes, sha256 } from '../bytes.ts'
import type { FrameCipher } from './frame-cipher.ts'

export function frameCipher(key: CryptoKey): FrameCipher {
  return {
    async seal(plain, iv) {
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain))
      return { pieces: [sealed], hash: await sha256(sealed) }
    },
    open(iv, length) {
      const sealed = new Uint8Array(length)
      let filled = 0
      return {
        update(part) {
          sealed.set(part, filled)
          filled += part.length
        },
        async end(hash) {
          const plain = equalBytes(await sha256(sealed), hash) ? await decrypt(key, sealed, iv) : null
          return plain === null ? null : [plain]
        },
      }
    },
  }
}

async function decrypt(key: CryptoKey, sealed: Bytes, iv: Bytes): Promise<Bytes | null> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed))
  } catch {
    return null
  }
}
