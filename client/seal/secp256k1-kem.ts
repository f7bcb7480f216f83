import {
  type CipherSuite,
  HkdfSha256,
  type RecipientContextParams,
  type SenderContextParams,
} from '@hpke/core'
import { publicKeyOf, randomPrivateKey, sharedX } from '../crypto/secp256k1.ts'
import { type Bytes, concat, utf8 } from './bytes.ts'

type Kem = CipherSuite['kem']

/** Where HPKE expects a WebCrypto key; WebCrypto has no secp256k1. Never shown, in JSON neither. */
class RawKey {
  readonly #bytes: Bytes
  constructor(bytes: Uint8Array) {
    this.#bytes = concat(bytes)
  }
  static bytesOf(key: unknown): Bytes {
    if (!(key instanceof RawKey)) throw new TypeError('the key is not one of secp256k1')
    return key.#bytes
  }
}

/** A secp256k1 key in the form in which HPKE's interfaces carry keys. */
export function rawKey(bytes: Uint8Array): CryptoKey {
  return new RawKey(bytes) as unknown as CryptoKey
}

/** A pair of a 32-byte private key. */
export function rawKeyPair(privateKey: Uint8Array): CryptoKeyPair {
  return { privateKey: rawKey(privateKey), publicKey: rawKey(publicKeyOf(privateKey, false)) }
}

/**
 * DHKEM(secp256k1, HKDF-SHA256), 0x0016, base mode: RFC 9180 section 4.1 with the curve and the encodings of
 * draft-wahby-cfrg-hpke-kem-secp256k1-01 (uncompressed points, the x coordinate as the result of DH).
 */
export function secp256k1Kem(): Kem {
  const kdf = new HkdfSha256()
  kdf.init(concat(utf8('KEM'), Uint8Array.of(0x00, 0x16)))

  async function sharedSecret(privateKey: Bytes, publicKey: Bytes, context: Bytes): Promise<ArrayBuffer> {
    const dh = sharedX(privateKey, publicKey)
    const ikm = kdf.buildLabeledIkm(utf8('eae_prk'), dh)
    const info = kdf.buildLabeledInfo(utf8('shared_secret'), context, 32)
    return kdf.extractAndExpand(new Uint8Array(), ikm, info, 32)
  }

  const kem: Pick<Kem, 'encap' | 'decap' | 'deserializePublicKey'> & { id: number } = {
    id: 0x0016,
    deserializePublicKey: async (key) => rawKey(concat(new Uint8Array(key as ArrayBuffer))),
    async encap({ recipientPublicKey, ekm }: SenderContextParams) {
      const ephemeral =
        ekm === undefined ? randomPrivateKey() : RawKey.bytesOf((ekm as CryptoKeyPair).privateKey)
      const enc = concat(publicKeyOf(ephemeral, false))
      const recipient = RawKey.bytesOf(recipientPublicKey)
      const secret = await sharedSecret(concat(ephemeral), recipient, concat(enc, recipient))
      return { enc: enc.buffer, sharedSecret: secret }
    },
    async decap({ recipientKey, enc }: RecipientContextParams) {
      const { privateKey, publicKey } = recipientKey as CryptoKeyPair
      const sent = concat(new Uint8Array(enc as ArrayBuffer))
      return sharedSecret(RawKey.bytesOf(privateKey), sent, concat(sent, RawKey.bytesOf(publicKey)))
    },
  }
  return kem as unknown as Kem
}
