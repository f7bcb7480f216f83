import { expect } from 'chai'
import { makePerson } from '../../client/examples/person.ts'
import { didKeyOf, didPkhOf, gaiaResource, issueUcan } from '../../client/ucan.ts'
import { publicKeyOf } from '../../client/v1-token.ts'
import { addressOf, didPkh, publicKeyFromDid, publicKeyFromHex } from '../../hub/auth/keys.ts'
import { decodeUcan, verifyChain } from '../../hub/auth/ucan/index.ts'

const [alice, bob] = [makePerson(), makePerson()]
const capabilities = [{ with: gaiaResource(alice.address, 'photos/'), can: 'gaia/store', nb: { maxSize: 5 } }]
const grant = { issuerPrivateKeyHex: alice.privateKey, audience: bob.did, capabilities, expiration: 2_000 }

describe('the names that the client gives to keys', () => {
  it('are those of the hub: did:key, and the address that it controls', () => {
    const key = publicKeyFromHex(publicKeyOf(alice.privateKey))
    expect(didKeyOf(publicKeyOf(alice.privateKey))).to.equal(key.did)
    expect(alice.address).to.equal(addressOf(key))
  })

  it('are did:pkh where only the address is known', () => {
    expect(didPkhOf(alice.address)).to.equal(didPkh(alice.address))
  })
})

describe('a UCAN that the client issues', () => {
  it('says what it was told to say, and nothing else', () => {
    const ucan = decodeUcan(issueUcan({ ...grant, notBefore: 1_000, issuedAt: 900 }))
    expect(ucan.issuer.did).to.equal(alice.did)
    expect(ucan).to.include({ audience: bob.did, expiration: 2_000, notBefore: 1_000, issuedAt: 900 })
    expect(ucan.capabilities).to.deep.equal([
      {
        address: alice.address,
        ability: 'gaia/store',
        reach: { kind: 'below', path: 'photos/' },
        caveats: { maxSize: 5 },
      },
    ])
  })

  it('leaves out the times that it was not told', () => {
    expect(decodeUcan(issueUcan(grant))).to.include({ notBefore: null, issuedAt: null })
  })

  it('verifies with the proofs that it rests on', async () => {
    const proofs = [issueUcan(grant)]
    const invocation = issueUcan({
      ...grant,
      issuerPrivateKeyHex: bob.privateKey,
      audience: 'did:web:hub.example',
      proofs,
    })
    const chain = await verifyChain(invocation, {
      purpose: 'invocation',
      address: alice.address,
      now: 1_500,
      isAudience: (did) => did === 'did:web:hub.example',
      isRevoked: () => Promise.resolve(false),
      oldestValidSeconds: () => Promise.resolve(null),
    })
    expect(chain.principal).to.equal(publicKeyFromDid(bob.did))
    expect(chain.capabilities).to.have.lengthOf(1)
  })
})
