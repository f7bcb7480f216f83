import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { base64, hex } from '@scure/base'
import { StacksFileError } from './errors.ts'

/** What `@stacks/encryption` makes of a content: ECIES with secp256k1, AES-256-CBC and HMAC-SHA-256. */
export interface CipherObject {
  /** 16 bytes in hex. */
  iv: string
  /** A compressed public key in hex, made for this one content. */
  ephemeralPK: string
  cipherText: string
  /** In hex where it is left out. */
  cipherTextEncoding?: 'hex' | 'base64'
  /** HMAC of iv, ephemeral key and cipher text, in hex. */
  mac: string
  /** Whether the content was a text. */
  wasString: boolean
}

/** Whether JSON has the form of a {@link CipherObject}. */
export function isCipherObject(value: unknown): value is CipherObject {
  const {
    iv,
    ephemeralPK,
    cipherText,
    mac,
    cipherTextEncoding = 'hex',
  } = (value ?? {}) as Record<string, unknown>
  const isEncoding = cipherTextEncoding === 'hex' || cipherTextEncoding === 'base64'
  return isEncoding && [iv, ephemeralPK, cipherText, mac].every((member) => typeof member === 'string')
}

/** @throws {StacksFileError} `decryption-failed` */
export async function decryptEcies(
  privateKeyHex: string,
  sealed: CipherObject,
): Promise<Uint8Array<ArrayBuffer>> {
  const { ephemeralKey, iv, cipherText, mac } = decoded(sealed)
  const keys = sharedKeys(privateKeyHex, ephemeralKey)
  if (!areEqual(mac, macOf(keys.mac, iv, ephemeralKey, cipherText))) {
    throw new StacksFileError(
      'decryption-failed',
      'the content was encrypted for another key, or was changed',
    )
  }
  const key = await crypto.subtle.importKey('raw', keys.cipher, 'AES-CBC', false, ['decrypt'])
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, key, cipherText))
}

/** @param publicKeyHex the recipient's secp256k1 key, compressed */
export async function encryptEcies(
  publicKeyHex: string,
  content: Uint8Array<ArrayBuffer>,
  options: { wasString: boolean; encoding?: 'hex' | 'base64' },
): Promise<CipherObject> {
  const ephemeral = secp256k1.utils.randomSecretKey()
  const ephemeralKey = secp256k1.getPublicKey(ephemeral, true)
  const keys = sharedKeys(hex.encode(ephemeral), hex.decode(publicKeyHex))
  const iv = crypto.getRandomValues(new Uint8Array(16))
  const key = await crypto.subtle.importKey('raw', keys.cipher, 'AES-CBC', false, ['encrypt'])
  const cipherText = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, content))
  const isBase64 = options.encoding === 'base64'
  return {
    iv: hex.encode(iv),
    ephemeralPK: hex.encode(ephemeralKey),
    cipherText: isBase64 ? base64.encode(cipherText) : hex.encode(cipherText),
    mac: hex.encode(macOf(keys.mac, iv, ephemeralKey, cipherText)),
    wasString: options.wasString,
    ...(isBase64 ? { cipherTextEncoding: 'base64' as const } : {}),
  }
}

function decoded(sealed: CipherObject) {
  try {
    const decodeText = sealed.cipherTextEncoding === 'base64' ? base64 : hex
    return {
      ephemeralKey: bytesOf(hex, sealed.ephemeralPK),
      iv: bytesOf(hex, sealed.iv),
      cipherText: bytesOf(decodeText, sealed.cipherText),
      mac: bytesOf(hex, sealed.mac),
    }
  } catch (cause) {
    throw new StacksFileError('decryption-failed', 'the encrypted content is damaged', { cause })
  }
}

function bytesOf(coder: { decode(text: string): Uint8Array }, text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(coder.decode(coder === hex ? text.toLowerCase() : text))
}

/** SHA-512 of the x coordinate: the first half encrypts, the second one authenticates. */
function sharedKeys(privateKeyHex: string, publicKey: Uint8Array) {
  const secret = sharedSecret(hex.decode(privateKeyHex), publicKey)
  const hash = Uint8Array.from(sha512(secret.subarray(1)))
  return { cipher: hash.slice(0, 32), mac: hash.slice(32) }
}

function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  try {
    return secp256k1.getSharedSecret(privateKey, publicKey, true)
  } catch (cause) {
    throw new StacksFileError('decryption-failed', 'the public key is none of secp256k1', { cause })
  }
}

function macOf(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = hmac.create(sha256, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** In the same time wherever they differ. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [i, byte] of a.entries()) difference |= byte ^ (b[i] ?? 0)
  return difference === 0
}
