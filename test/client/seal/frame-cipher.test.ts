import { expect } from 'chai'
import { randomBytes } from '../../../client/seal/bytes.ts'
import { frameCipher as nodeCipher } from '../../../client/seal/frame-cipher/node.ts'
import { frameCipher as webCipher } from '../../../client/seal/frame-cipher/web.ts'

const nonce = Uint8Array.from({ length: 12 }, (_, i) => i)

describe('the ciphers of frames, of browsers and of Node', () => {
  let web: ReturnType<typeof webCipher>
  let node: ReturnType<typeof nodeCipher>

  before(async () => {
    const usages: KeyUsage[] = ['encrypt', 'decrypt']
    const key = await crypto.subtle.importKey('raw', randomBytes(32), 'AES-GCM', false, usages)
    web = webCipher(key)
    node = nodeCipher(key)
  })

  for (const size of [0, 1, 15, 16, 17, 65_536, 262_144]) {
    it(`seal ${size} bytes alike, and open what the other has sealed`, async () => {
      const plain = Uint8Array.from({ length: size }, (_, i) => i * 31)
      const sealed = await web.encrypt(plain, nonce)
      expect(sealed.length).to.equal(size + 16)
      expect(await node.encrypt(plain, nonce)).to.deep.equal(sealed)
      for (const cipher of [web, node]) {
        const opened = await cipher.decrypt(sealed, nonce)
        expect(opened === null ? null : Uint8Array.from(opened)).to.deep.equal(plain)
      }
    })
  }

  it('refuse each changed byte, another nonce, and whatever is cut or longer', async () => {
    const sealed = await web.encrypt(randomBytes(20), nonce)
    const changed = Array.from(sealed, (byte, i) => sealed.with(i, byte ^ 1) as typeof sealed)
    const cut = Array.from(sealed, (_, length) => sealed.slice(0, length))
    for (const cipher of [web, node]) {
      for (const bytes of [...changed, ...cut, Uint8Array.from([...sealed, 0])]) {
        expect(await cipher.decrypt(bytes, nonce)).to.equal(null)
      }
      expect(await cipher.decrypt(sealed, nonce.with(11, 0) as typeof nonce)).to.equal(null)
    }
  })
})
