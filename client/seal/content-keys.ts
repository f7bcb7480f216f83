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
  /** AES-256-GCM. */
  readonly frames: CryptoKey
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
  const [frames, details] = await Promise.all([0, 32].map((start) => aesKey(bits.slice(start, start + 32))))
  const proof = await crypto.subtle.importKey(
    'raw',
    bits.slice(64),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  )
  if (frames === undefined || details === undefined) throw new RangeError('two keys were made')
  return { frames, details, proof }
}

function aesKey(bits: ArrayBuffer): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** What the data key is wrapped for: it opens for this content only. */
export function wrapInfo({ address, path, id }: ContentPlace): Bytes {
  return framed('mandate sealed key v1', address, path, id)
}
