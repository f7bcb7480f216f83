import { createCipheriv, createDecipheriv, KeyObject } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { type FrameCipher, tagBytes } from './frame-cipher.ts'

const algorithm = 'aes-256-gcm'

export function frameCipher(cryptoKey: CryptoKey): FrameCipher {
  const key = KeyObject.from(cryptoKey)
  return {
    encrypt(plain, nonce) {
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      const sealed = new Uint8Array(plain.length + tagBytes)
      sealed.set(cipher.update(plain))
      cipher.final()
      sealed.set(cipher.getAuthTag(), plain.length)
      return sealed
    },
    decrypt(sealed, nonce) {
      if (sealed.length < tagBytes) return null
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const plain = decipher.update(sealed.subarray(0, -tagBytes)) as Bytes
      try {
        decipher.final()
        return plain
      } catch {
        return null
      }
    },
  }
}
