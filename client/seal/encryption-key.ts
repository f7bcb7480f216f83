import { base58 } from '@scure/base'
import { expandP256 } from '../crypto/p256.ts'
import { expandPoint } from '../crypto/secp256k1.ts'
import { type Bytes, concat, sha256 } from './bytes.ts'
import { SealError } from './errors.ts'

/** The kinds of keys that files are sealed for. */
export type KeyKind = 'secp256k1' | 'P-256' | 'X25519'

/** A public key that files are sealed for. */
export interface EncryptionKey {
  readonly kind: KeyKind
  /** `did:key:z…`, the one name of the key. */
  readonly did: string
  /** As HPKE writes it: 65 bytes, uncompressed, or 32 of X25519. */
  readonly publicKey: Bytes
}

interface Kind {
  /** Of the HPKE registry (RFC 9180 section 7.1; secp256k1: draft-wahby-cfrg-hpke-kem-secp256k1-01). */
  readonly kem: number
  /** Multicodec of the public key and of the private one, as unsigned varints. */
  readonly publicPrefix: readonly [number, number]
  readonly privatePrefix: readonly [number, number]
  /** Bytes of `enc`, which are those of a public key too. */
  readonly encBytes: number
}

export const kinds = {
  secp256k1: { kem: 0x0016, publicPrefix: [0xe7, 0x01], privatePrefix: [0x81, 0x26], encBytes: 65 },
  'P-256': { kem: 0x0010, publicPrefix: [0x80, 0x24], privatePrefix: [0x86, 0x26], encBytes: 65 },
  X25519: { kem: 0x0020, publicPrefix: [0xec, 0x01], privatePrefix: [0x82, 0x26], encBytes: 32 },
} as const satisfies Record<KeyKind, Kind>

export const kindNames = Object.keys(kinds) as KeyKind[]

/**
 * The key that a `did:key` names.
 * @throws {SealError} `no-encryption-key` for Ed25519, which signs only, for other methods, and for bytes that are no
 *   point of the curve
 */
export function parseEncryptionKey(did: string): EncryptionKey {
  const named = /^did:key:z[1-9A-HJ-NP-Za-km-z]{1,70}$/.test(did)
    ? base58.decode(did.slice(9))
    : new Uint8Array()
  const kind = kindNames.find((name) => kinds[name].publicPrefix.every((byte, i) => byte === named[i]))
  if (kind !== undefined) {
    try {
      return { kind, did, publicKey: expand(kind, named.slice(2)) }
    } catch {
      // Told below.
    }
  }
  throw new SealError('no-encryption-key', `${did.slice(0, 80)} names no key that files can be sealed for`)
}

function expand(kind: KeyKind, key: Uint8Array): Bytes {
  if (key.length !== (kind === 'X25519' ? 32 : 33))
    throw new RangeError('a key of that kind has another length')
  if (kind === 'X25519') return concat(key)
  return concat(kind === 'P-256' ? expandP256(key) : expandPoint(key))
}

/** @param publicKey as HPKE writes it */
export function encryptionKey(kind: KeyKind, publicKey: Uint8Array): EncryptionKey {
  const isOdd = ((publicKey[64] ?? 0) & 1) === 1
  const short =
    kind === 'X25519' ? publicKey : concat(Uint8Array.of(isOdd ? 3 : 2), publicKey.subarray(1, 33))
  const did = `did:key:z${base58.encode(concat(Uint8Array.from(kinds[kind].publicPrefix), short))}`
  return { kind, did, publicKey: concat(publicKey) }
}

/**
 * What two people read to each other to know that they mean the same key: 40 digits in eight groups, from SHA-256 of
 * the DID. Nobody finds a second key with the same in less than 2^128 tries.
 */
export async function fingerprint(did: string): Promise<string> {
  const hash = await sha256(new TextEncoder().encode(`mandate fingerprint v1\n${did}`))
  const view = new DataView(hash.buffer)
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint32(i * 4) % 100_000)
  return groups.map((group) => String(group).padStart(5, '0')).join(' ')
}
