import { expect } from 'chai'
import { type Bytes, concat, randomBytes, sha256 } from '../../../client/seal/bytes.ts'
import { type FrameCipher, tagBytes } from '../../../client/seal/frame-cipher/frame-cipher.ts'
import { frameCipher as nodeCipher } from '../../../client/seal/frame-cipher/node.ts'
import { frameCipher as webCipher } from '../../../client/seal/frame-cipher/web.ts'

const nonce = Uint8Array.from({ length: 12 }, (_, i) => i)

function plainOf(size: number): Bytes {
  return Uint8Array.from({ length: size }, (_, i) => i * 31)
}

/** Opens a frame that comes in parts of a length. */
async function open(
  cipher: FrameCipher,
  sealed: Bytes,
  iv: Bytes,
  hash: Bytes,
  part = 7,
): Promise<Bytes | null> {
  const opening = cipher.open(iv, sealed.length)
  for (let at = 0; at < sealed.length; at += part) opening.update(sealed.subarray(at, at + part))
  const pieces = await opening.end(hash)
  return pieces === null ? null : concat(...pieces)
}

async function seal(cipher: FrameCipher, plain: Bytes): Promise<{ sealed: Bytes; hash: Bytes }> {
  const { pieces, hash } = await cipher.seal(plain, nonce)
  return { sealed: concat(...pieces), hash: Uint8Array.from(hash) }
}

describe('ciphers of frames', () => {
  const key = randomBytes(32)

  for (const size of [0, 1, 15, 16, 17, 4096, 65_536, 262_144]) {
    it(`that of Node seals ${size} bytes as that of browsers does, and each opens what the other has sealed`, async () => {
      const [web, node] = [webCipher(key), nodeCipher(key)]
      const expected = await seal(web, plainOf(size))
      expect(expected.sealed.length).to.equal(size + tagBytes)
      expect(await sha256(expected.sealed)).to.deep.equal(expected.hash)
      const { sealed, hash } = await seal(node, plainOf(size))
      expect([Uint8Array.from(sealed), Uint8Array.from(hash)]).to.deep.equal([expected.sealed, expected.hash])
      for (const cipher of [web, node]) {
        for (const part of [1, size + 1, size + 15, size + tagBytes, 4000]) {
          if (size / part < 5000)
            expect(await open(cipher, sealed, nonce, hash, part)).to.deep.equal(plainOf(size))
        }
      }
    })
  }

  for (const [name, make] of [['browsers', webCipher] as const, ['Node', nodeCipher] as const]) {
    it(`that of ${name} refuses each changed byte, another nonce or hash, and whatever is cut or longer`, async () => {
      const cipher = make(key)
      const { sealed, hash } = await seal(webCipher(key), plainOf(20))
      const changed = Array.from(sealed, (byte, i) => sealed.with(i, byte ^ 1) as Bytes)
      const cut = Array.from({ length: sealed.length - tagBytes }, (_, i) => sealed.slice(0, tagBytes + i))
      for (const bytes of [...changed, ...cut, Uint8Array.from([...sealed, 0])]) {
        // Also where the hash is right: whoever holds the key of a content can make that.
        for (const itsHash of [hash, await sha256(bytes)]) {
          expect(await open(cipher, bytes, nonce, itsHash)).to.equal(null)
        }
      }
      expect(await open(cipher, sealed, nonce.with(11, 0) as Bytes, hash)).to.equal(null)
      expect(await open(cipher, sealed, nonce, randomBytes(32))).to.equal(null)
      expect(await open(cipher, sealed, nonce, hash)).to.deep.equal(plainOf(20))
    })
  }
})
