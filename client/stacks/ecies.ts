import { base64, hex } from '@scure/base'
import { publicKeyOf, randomPrivateKey, sharedX } from '../crypto/secp256k1.ts'
import { concatenated } from '../transport/read-bounded.ts'
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
  const keys = await sharedKeys(hex.decode(privateKeyHex), ephemeralKey)
  if (!(await crypto.subtle.verify('HMAC', keys.mac, mac, joined(iv, ephemeralKey, cipherText)))) {
    throw new StacksFileError(
      'decryption-failed',
      'the content was encrypted for another key, or was changed',
    )
  }
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, keys.cipher, cipherText))
}

/** @param publicKeyHex the recipient's secp256k1 key, compressed */
export async function encryptEcies(
  publicKeyHex: string,
  content: Uint8Array<ArrayBuffer>,
  options: { wasString: boolean; encoding: 'hex' | 'base64' },
): Promise<CipherObject> {
  const ephemeral = randomPrivateKey()
  const ephemeralKey = Uint8Array.from(publicKeyOf(ephemeral))
  const keys = await sharedKeys(ephemeral, hex.decode(publicKeyHex))
  const iv = crypto.getRandomValues(new Uint8Array(16))
  const cipherText = new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, keys.cipher, content),
  )
  const mac = await crypto.subtle.sign('HMAC', keys.mac, joined(iv, ephemeralKey, cipherText))
  const isBase64 = options.encoding === 'base64'
  return {
    iv: hex.encode(iv),
    ephemeralPK: hex.encode(ephemeralKey),
    cipherText: isBase64 ? base64.encode(cipherText) : hex.encode(cipherText),
    mac: hex.encode(new Uint8Array(mac)),
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
async function sharedKeys(privateKey: Uint8Array, publicKey: Uint8Array) {
  const hash = await crypto.subtle.digest('SHA-512', sharedSecret(privateKey, publicKey))
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  return {
    cipher: await crypto.subtle.importKey('raw', hash.slice(0, 32), 'AES-CBC', false, ['encrypt', 'decrypt']),
    mac: await crypto.subtle.importKey('raw', hash.slice(32), hmac, false, ['sign', 'verify']),
  }
}

function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return sharedX(privateKey, publicKey)
  } catch (cause) {
    throw new StacksFileError('decryption-failed', 'the public key is none of secp256k1', { cause })
  }
}

function joined(...parts: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  return concatenated(
    parts,
    parts.reduce((sum, { length }) => sum + length, 0),
  )
}
