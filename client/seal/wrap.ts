import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { type Bytes, concat } from './bytes.ts'
import { type EncryptionKey, type KeyKind, kinds } from './encryption-key.ts'
import type { OpeningKey } from './opening-key.ts'
import { rawKey, secp256k1Kem } from './secp256k1-kem.ts'

/** A short secret, sealed for one key. It does not tell for which: only the kind of the key can be seen. */
export interface Wrapped {
  /** HPKE's number of the kind of key. */
  readonly kem: number
  /** `enc`, then the ciphertext with its tag. */
  readonly sealed: Bytes
}

const kems = {
  secp256k1: secp256k1Kem,
  'P-256': () => new DhkemP256HkdfSha256(),
  X25519: () => new DhkemX25519HkdfSha256(),
} satisfies Record<KeyKind, () => CipherSuite['kem']>

const suites = new Map<KeyKind, CipherSuite>()

/** HPKE (RFC 9180) with HKDF-SHA256 and AES-256-GCM. */
function suiteOf(kind: KeyKind): CipherSuite {
  const known = suites.get(kind)
  if (known !== undefined) return known
  const suite = new CipherSuite({ kem: kems[kind](), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  suites.set(kind, suite)
  return suite
}

/**
 * Seals a secret for one key: HPKE, base mode, one message.
 * @param info what it is for; it opens with the same only
 */
export async function wrap(secret: Bytes, to: EncryptionKey, info: Bytes): Promise<Wrapped> {
  const suite = suiteOf(to.kind)
  const isRaw = to.kind === 'secp256k1'
  const recipientPublicKey = isRaw ? rawKey(to.publicKey) : await suite.kem.deserializePublicKey(to.publicKey)
  const { enc, ct } = await suite.seal({ recipientPublicKey, info }, secret)
  return { kem: kinds[to.kind].kem, sealed: concat(new Uint8Array(enc), new Uint8Array(ct)) }
}

/** `null` where it was not sealed for this key, or for something else. */
export async function unwrap(wrapped: Wrapped, key: OpeningKey, info: Bytes): Promise<Bytes | null> {
  const { kem, encBytes } = kinds[key.kind]
  if (wrapped.kem !== kem || wrapped.sealed.length <= encBytes) return null
  const [enc, ct] = [wrapped.sealed.slice(0, encBytes), wrapped.sealed.slice(encBytes)]
  try {
    const secret = await suiteOf(key.kind).open({ recipientKey: key.pair, enc: enc.buffer, info }, ct)
    return new Uint8Array(secret)
  } catch {
    // HPKE tells no other failure apart from that of a message for somebody else.
    return null
  }
}
