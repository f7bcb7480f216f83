import { type Bytes, framed, sha256, uint32 } from './bytes.ts'

/** What the content of a sealed file belongs to; its keys are bound to all of it. */
export interface ContentPlace {
  readonly address: string
  /** Decoded. */
  readonly path: string
  /** 16 random bytes, which name the content. */
  readonly id: Bytes
  /** Of the file, when this content was sealed. */
  readonly version: number
  /** Bytes of plain text in each frame but the last. */
  readonly frame: number
}

/** The keys that one data key gives for one content. */
export interface ContentKeys {
  /** AES-256-GCM: 32 bytes, for the cipher of the platform. */
  readonly frames: Bytes
  /** AES-256-GCM. */
  readonly details: CryptoKey
  /** HMAC-SHA256. */
  readonly proof: CryptoKey
}

/** HKDF-SHA256 (RFC 5869) of the data key, with the content's id as salt. */
export async function contentKeys(dataKey: Bytes, place: ContentPlace): Promise<ContentKeys> {
  const secret = await crypto.subtle.importKey('raw', dataKey, 'HKDF', false, ['deriveBits'])
  const { address, path, version, frame } = place
  // Hashed: some platforms take no longer `info` than 1,024 bytes.
  const info = await sha256(
    framed('mandate sealed content v1', address, path, String(version), uint32(frame)),
  )
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: place.id, info }
  const bits = await crypto.subtle.deriveBits(parameters, secret, 3 * 256)
  const details = await crypto.subtle.importKey('raw', bits.slice(32, 64), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])
  const proof = await crypto.subtle.importKey(
    'raw',
    bits.slice(64),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  )
  return { frames: new Uint8Array(bits.slice(0, 32)), details, proof }
}

/** What the data key is wrapped for: it opens for this content only. */
export function wrapInfo({ address, path, id }: ContentPlace): Bytes {
  return framed('mandate sealed key v1', address, path, id)
}
