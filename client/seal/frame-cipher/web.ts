import { type Bytes, equalBytes, sha256 } from '../bytes.ts'
import type { FrameCipher } from './frame-cipher.ts'

/** @param key 32 bytes */
export function frameCipher(key: Bytes): FrameCipher {
  let imported: Promise<CryptoKey> | null = null
  const cryptoKey = () => {
    imported ??= crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
    return imported
  }
  return {
    async seal(plain, iv) {
      const sealed = new Uint8Array(
        await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await cryptoKey(), plain),
      )
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
          const plain = equalBytes(await sha256(sealed), hash)
            ? await decrypt(await cryptoKey(), sealed, iv)
            : null
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
