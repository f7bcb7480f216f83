import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import { verifySignature as verifyByClient } from '../../client/crypto/verify.ts'
import { KeyFormatError, type KeyKind, type PublicKey, publicKeyFromDid } from '../../hub/auth/keys.ts'
import { verifySignature, verifySignaturePortably } from '../../hub/auth/signature.ts'
import { didKey } from './personas.ts'
import { readVectors, type SignatureVectors } from './vectors/vectors.ts'

type Verify = (key: PublicKey, data: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>

const hubWays: ReadonlyArray<[string, Verify]> = [
  ['by what is fastest on this machine', verifySignature],
  ['without an addon', verifySignaturePortably],
]

const allWays: ReadonlyArray<[string, Verify]> = [
  ...hubWays,
  [
    'by the client',
    async ({ did }, data, signature) =>
      (await verifyByClient(did, Uint8Array.from(data), signature)) === 'valid',
  ],
]

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

/** `null` for a key that is refused. */
function readKey(kind: KeyKind, bytes: Uint8Array): PublicKey | null {
  try {
    return publicKeyFromDid(didKey(kind, bytes))
  } catch (error) {
    if (error instanceof KeyFormatError) return null
    throw error
  }
}

describe('published signatures', () => {
  for (const file of ['ed25519', 'p256', 'secp256k1']) {
    const { curve, sets } = readVectors<SignatureVectors>(`${file}.json`)
    for (const { name, notes = {}, groups } of sets) {
      const rows = groups.flatMap(({ key, tests }) => tests.map((test) => ({ key, test })))
      for (const [way, verify] of allWays) {
        it(`${name}: ${rows.length} of ${curve}, ${way}`, async () => {
          const wrong: string[] = []
          for (const { key: keyHex, test } of rows) {
            const [id = '', expected, signature = '', message = ''] = test.split(' ')
            const key = readKey(curve, hex(keyHex))
            const isValid = key !== null && (await verify(key, hex(message), hex(signature)))
            const verdict = key === null ? 'unusable-key' : isValid ? 'valid' : 'invalid'
            if (verdict !== expected) wrong.push(`${id} is ${verdict}. ${notes[id] ?? ''}`)
          }
          expect(wrong).to.deep.equal([])
        })
      }
    }
  }
})

describe('an Ed25519 signature whose R is of small order', () => {
  const { Point } = ed25519
  const order = Point.Fn.ORDER
  const eighth = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
  const secret = 0x1234_5678_9abc_def0n
  /** Of large order, but not of the large order alone: only with such a key does R get every value. */
  const mixed = Point.BASE.multiply(secret).add(eighth)

  function littleEndian(bytes: Uint8Array): bigint {
    return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  }

  function hashOf(r: Uint8Array, message: Uint8Array): bigint {
    return (
      littleEndian(createHash('sha512').update(r).update(mixed.toBytes()).update(message).digest()) % order
    )
  }

  /** A signature for which the equation of RFC 8032 holds even without the cofactor. */
  function sign(r: Uint8Array, index: number): { message: Buffer; signature: Buffer } {
    for (let nonce = 0; ; nonce++) {
      const message = Buffer.from(`message ${nonce}`)
      const hash = hashOf(r, message)
      if ((BigInt(index) + hash) % 8n !== 0n) continue
      const s = Buffer.from(((hash * secret) % order).toString(16).padStart(64, '0'), 'hex').reverse()
      return { message, signature: Buffer.concat([r, s]) }
    }
  }

  for (let index = 0; index < 8; index++) {
    const r = (index === 0 ? Point.ZERO : eighth.multiplyUnsafe(BigInt(index))).toBytes()
    for (const [way, verify] of allWays) {
      it(`${Buffer.from(r).toString('hex')} is refused ${way}`, async () => {
        const { message, signature } = sign(r, index)
        expect(ed25519.verify(signature, message, mixed.toBytes())).to.equal(true)
        const key = readKey('Ed25519', mixed.toBytes())
        expect(key).not.to.equal(null)
        expect(key !== null && (await verify(key, message, signature))).to.equal(false)
      })
    }
  }
})
