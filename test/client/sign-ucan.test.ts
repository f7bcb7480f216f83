import { expect } from 'chai'
import { gaiaResource, generateSigner, signUcan } from '../../client/index.ts'
import { publicKeyFromDid } from '../../hub/auth/keys.ts'
import { cidOf, decodeUcan, verifyChain } from '../../hub/auth/ucan/index.ts'

const hub = 'did:web:hub.example'

describe('a UCAN that the SDK signs', () => {
  for (const version of ['0.8.1', '0.9.1', '0.10.0'] as const) {
    it(`says what it was told to say, and nothing else, in version ${version}`, async () => {
      const [alice, bob] = [await generateSigner(), await generateSigner()]
      const token = await signUcan(alice, {
        audience: bob.did(),
        capabilities: [{ with: gaiaResource('1abc', 'photos/'), can: 'gaia/store', nb: { maxSize: 5 } }],
        expiration: 2_000,
        notBefore: 1_000,
        ...(version === '0.10.0' ? {} : { issuedAt: 900 }),
        version,
      })
      const ucan = decodeUcan(token)
      expect(ucan.issuer.did).to.equal(alice.did())
      expect(ucan.version).to.deep.equal({
        minor: Number(version.split('.')[1]),
        patch: Number(version.split('.')[2]),
      })
      expect(ucan).to.include({ audience: bob.did(), expiration: 2_000, notBefore: 1_000 })
      expect(ucan.capabilities).to.deep.equal([
        {
          address: '1abc',
          ability: 'gaia/store',
          reach: { kind: 'below', path: 'photos/' },
          caveats: { maxSize: 5 },
        },
      ])
    })

    it(`verifies with the proofs that it rests on, in version ${version}`, async () => {
      const [alice, bob] = [await generateSigner('Ed25519'), await generateSigner('P-256')]
      const address = alice.did().slice('did:key:'.length)
      const capabilities = [
        { with: gaiaResource(address, 'a/'), can: 'gaia/store' },
        { with: gaiaResource(address, 'a/'), can: 'gaia/list' },
        { with: gaiaResource(address, 'b'), can: 'gaia/store' },
      ]
      const content = { capabilities, expiration: 2_000, version }
      const proof = await signUcan(alice, { ...content, audience: bob.did() })
      const named = version === '0.8.1' ? proof : cidOf(proof)
      const invocation = await signUcan(bob, { ...content, audience: hub, proofs: [named] })
      const chain = await verifyChain(invocation, {
        purpose: 'invocation',
        address,
        now: 1_500,
        proofs: new Map([[cidOf(proof), proof]]),
        isAudience: (did) => did === hub,
        isRevoked: () => Promise.resolve(false),
        oldestValidSeconds: () => Promise.resolve(null),
      })
      expect(chain.principal).to.equal(publicKeyFromDid(bob.did()))
      expect(chain.capabilities).to.have.lengthOf(3)
    })
  }

  it('leaves out the times that it was not told', async () => {
    const alice = await generateSigner()
    const token = await signUcan(alice, { audience: hub, capabilities: [], expiration: 2_000 })
    expect(decodeUcan(token)).to.include({ notBefore: null, issuedAt: null })
  })
})
