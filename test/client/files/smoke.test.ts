import { expect } from 'chai'
import { generateSigner } from '../../../client/signers/web-crypto-signer.ts'
import { collect } from '../collect.ts'
import { suiteStage } from '../sdk-stage.ts'

describe('a connection', () => {
  const on = suiteStage()

  for (const [what, signer] of [
    ['a Stacks key', undefined],
    ['a P-256 key', () => generateSigner('P-256')],
    ['an Ed25519 key', () => generateSigner('Ed25519')],
  ] as const) {
    it(`of ${what} stores, reads, updates, lists and deletes`, async () => {
      const me = await on.stage.connect(signer === undefined ? {} : { signer: await signer() })
      const { etag } = await me.put('a b/č#?.txt', 'one')
      const file = await me.get('a b/č#?.txt')
      expect(file.text()).to.equal('one')
      expect(file.etag).to.equal(etag)
      await me.update('a b/č#?.txt', (now) => `${now?.text()} two`)
      await me.put('a b/č#?.txt', 'three', { keepHistory: true })
      expect(await collect(me.list({ prefix: 'a b/č' }))).to.deep.equal(['a b/č#?.txt'])
      expect((await me.history('a b/č#?.txt')).length).to.equal(1)
      expect(await me.delete('a b/č#?.txt')).to.equal(true)
      expect(await me.head('a b/č#?.txt')).to.equal(null)
    })
  }
})
