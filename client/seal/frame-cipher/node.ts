import { createCipheriv, createDecipheriv, createHash, createSecretKey, type DecipherGCM } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { type FrameCipher, tagBytes } from './frame-cipher.ts'

const algorithm = 'aes-256-gcm'
/** Small enough to be still in the processor's cache when it is hashed and sent. */
const pieceBytes = 64 * 1024
const options = { authTagLength: tagBytes }

/** @param bytes 32 of them */
export function frameCipher(bytes: Bytes): FrameCipher {
  const key = createSecretKey(bytes)
  return {
    seal(plain, nonce) {
      const cipher = createCipheriv(algorithm, key, nonce, options)
      const digest = createHash('sha256')
      const pieces: Bytes[] = []
      const add = (piece: Buffer) => {
        digest.update(piece)
        pieces.push(piece as Bytes)
      }
      for (let at = 0; at < plain.length; at += pieceBytes)
        add(cipher.update(plain.subarray(at, at + pieceBytes)))
      cipher.final()
      add(cipher.getAuthTag())
      return { pieces, hash: digest.digest() as Bytes }
    },
    open(nonce, length) {
      const decipher = createDecipheriv(algorithm, key, nonce, options)
      const digest = createHash('sha256')
      const pieces: Bytes[] = []
      const tag = new Uint8Array(tagBytes)
      const textLength = length - tagBytes
      let taken = 0
      return {
        update(part) {
          digest.update(part)
          const text = part.subarray(0, Math.max(0, textLength - taken))
          if (text.length > 0) pieces.push(decipher.update(text) as Bytes)
          if (text.length < part.length) tag.set(part.subarray(text.length), taken + text.length - textLength)
          taken += part.length
        },
        // What was deciphered on the way is nobody's before hash and tag have been found right.
        end(expected) {
          return digest.digest().equals(expected) && isAuthentic(decipher, tag) ? pieces : null
        },
      }
    },
  }
}

function isAuthentic(decipher: DecipherGCM, tag: Bytes): boolean {
  try {
    decipher.setAuthTag(tag).final()
    return true
  } catch {
    return false
  }
}
