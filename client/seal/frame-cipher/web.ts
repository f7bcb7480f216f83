import type { FrameCipher } from './frame-cipher.ts'

export function frameCipher(key: CryptoKey): FrameCipher {
  return {
    async encrypt(plain, iv) {
      return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain))
    },
    async decrypt(sealed, iv) {
      try {
        return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed))
      } catch {
        return null
      }
    },
  }
}
