import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { readDer, writeDer } from '../../../client/crypto/der.ts'
import { expandP256, verifyP256 } from '../../../client/crypto/p256.ts'
import { publicKeyOf, sharedX, signEcdsa, verifyEcdsa } from '../../../client/crypto/secp256k1.ts'

/** Another implementation of the same author's, and larger: what both agree on is right in both. */
const secretKeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => secp256k1.utils.isValidSecretKey(bytes) && p256.utils.isValidSecretKey(bytes))
const messages = fc.uint8Array({ maxLength: 100 })
const runs = { numRuns: 25 }

describe('secp256k1 of the SDK', () => {
  it('signs, verifies and shares as the larger library does, in both forms', () => {
    fc.assert(
      fc.property(secretKeys, messages, (key, message) => {
        const publicKey = publicKeyOf(key)
        expect(publicKey).to.deep.equal(secp256k1.getPublicKey(key))
        for (const format of ['compact', 'der'] as const) {
          const signature = signEcdsa(message, key, format)
          expect(signature).to.deep.equal(secp256k1.sign(message, key, { format }))
          expect(verifyEcdsa(signature, message, publicKey, format)).to.equal(true)
          expect(verifyEcdsa(signature, Uint8Array.of(...message, 0), publicKey, format)).to.equal(false)
        }
        expect(sharedX(key, publicKey)).to.deep.equal(secp256k1.getSharedSecret(key, publicKey).slice(1))
      }),
      runs,
    )
  })

  it('takes a signature with a high s, and none of what is no signature or no key', () => {
    const key = secp256k1.utils.randomSecretKey()
    const message = Uint8Array.of(1, 2, 3)
    const signature = secp256k1.Signature.fromBytes(secp256k1.sign(message, key))
    const high = new secp256k1.Signature(signature.r, secp256k1.Point.Fn.ORDER - signature.s).toBytes()
    expect(verifyEcdsa(high, message, publicKeyOf(key), 'compact')).to.equal(true)
    expect(verifyEcdsa(new Uint8Array(64), message, publicKeyOf(key), 'compact')).to.equal(false)
    expect(verifyEcdsa(high, message, new Uint8Array(33), 'compact')).to.equal(false)
    expect(verifyEcdsa(high, message, publicKeyOf(key), 'der')).to.equal(false)
  })
})

describe('signatures in DER', () => {
  it('are read as they were written, whatever r and s are', () => {
    const numbers = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 300n }))
    fc.assert(
      fc.property(numbers, numbers, (r, s) => {
        const hex = [r, s].map((number) => number.toString(16).padStart(64, '0')).join('')
        const signature = Uint8Array.from(Buffer.from(hex, 'hex'))
        expect(readDer(writeDer(signature))).to.deep.equal(signature)
      }),
    )
  })

  it('are refused with any byte more, less or other in what is not r and s', () => {
    const der = writeDer(Uint8Array.from({ length: 64 }, (_, i) => i + 1))
    const tags = [0, 1, 2, 3, 36, 37]
    for (const i of tags) {
      const other = Uint8Array.from(der)
      other[i] = (other[i] ?? 0) ^ 1
      expect(() => readDer(other), String(i)).to.throw(RangeError)
    }
    expect(() => readDer(Uint8Array.of(...der, 0))).to.throw(RangeError)
    for (let length = 0; length < der.length; length++)
      expect(() => readDer(der.subarray(0, length))).to.throw(RangeError)
  })
})

describe('P-256 of the SDK', () => {
  it('expands every point as the larger library does', () => {
    fc.assert(
      fc.property(secretKeys, (key) => {
        expect(expandP256(p256.getPublicKey(key))).to.deep.equal(p256.getPublicKey(key, false))
      }),
      runs,
    )
  })

  it('refuses what is no point', () => {
    const key = p256.getPublicKey(p256.utils.randomSecretKey())
    const wrong = [
      key.subarray(1),
      Uint8Array.of(4, ...key.subarray(1)),
      new Uint8Array(33).fill(255),
      new Uint8Array(33),
    ]
    for (const bytes of wrong) expect(() => expandP256(bytes)).to.throw(RangeError)
    let refused = 0
    for (let x = 1; x <= 50; x++) {
      const bytes = new Uint8Array(33)
      bytes.set([2], 0)
      bytes.set([x], 32)
      const isPoint = (() => {
        try {
          p256.Point.fromBytes(bytes)
          return true
        } catch {
          return false
        }
      })()
      if (isPoint) expandP256(bytes)
      else {
        refused += 1
        expect(() => expandP256(bytes)).to.throw(RangeError)
      }
    }
    expect(refused).to.be.within(10, 40)
  })

  it('verifies signatures with either s', async () => {
    const key = p256.utils.randomSecretKey()
    const message = Uint8Array.of(1, 2, 3)
    const signature = p256.Signature.fromBytes(p256.sign(message, key))
    const other = new p256.Signature(signature.r, p256.Point.Fn.ORDER - signature.s)
    for (const one of [signature, other])
      expect(await verifyP256(one.toBytes(), message, p256.getPublicKey(key))).to.equal(true)
    expect(await verifyP256(signature.toBytes(), Uint8Array.of(4), p256.getPublicKey(key))).to.equal(false)
  })
})
