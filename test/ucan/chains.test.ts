import { expect } from 'chai'
import { LRUCache } from 'lru-cache'
import { cidOf, parseUcansHeader, revocationIdOf, type Ucan, verifyChain } from '../../hub/auth/ucan/index.ts'
import {
  byCid,
  type ChainLink,
  can,
  hubDid,
  mint,
  mintChain,
  testNow,
  ucansHeader,
  type Version,
} from './mint.ts'
import { alice, bob, carol, didPkhOf, keyKinds, mallory, type Persona, persona } from './personas.ts'
import { deleting, outcome, outcomeOf, storing, verifying } from './verifying.ts'

const photos = [can(alice, 'photos/', 'gaia/store')]

/** Alice hands `photos/` to Bob, who uses it. */
function bobsChain(version: Version = '0.8.1'): string[] {
  return mintChain([
    { issuer: alice, version, capabilities: photos },
    { issuer: bob, version, capabilities: photos },
  ])
}

function last(tokens: readonly string[]): string {
  return tokens.at(-1) ?? ''
}

describe('a chain of delegations', () => {
  // Eight tokens of 0.8, one inside the other, are larger than a request may be.
  const lengths = { '0.8.1': [1, 2, 3, 5, 7], '0.9.1': [1, 2, 3, 5, 8], '0.10.0': [1, 2, 3, 5, 8] } as const
  for (const version of ['0.8.1', '0.9.1', '0.10.0'] as const) {
    const proofsAs = version === '0.8.1' ? 'inline' : 'cid'
    for (const length of lengths[version]) {
      it(`of ${length} tokens of ${version} is accepted, its proofs ${proofsAs === 'cid' ? 'named by CID' : 'inline'}`, async () => {
        const people = [alice, ...Array.from({ length: length - 1 }, (_, i) => persona(`friend ${i}`))]
        const tokens = mintChain(
          people.map((issuer): ChainLink => ({ issuer, version, proofsAs, capabilities: photos })),
        )
        const changes = proofsAs === 'cid' ? { proofs: byCid(...tokens.slice(0, -1)) } : {}
        expect(await outcome(last(tokens), storing('photos/a.png'), changes)).to.equal('allowed')
        expect(await outcome(last(tokens), storing('notes/a.txt'), changes)).to.equal('not-covered')
      })
    }
  }

  for (const first of keyKinds) {
    for (const second of keyKinds) {
      it(`may go from an ${first} key to an ${second} key`, async () => {
        const owner = persona('olivia', first)
        const writer = persona('walter', second)
        const capabilities = [can(owner, 'photos/', 'gaia/store')]
        const tokens = mintChain([
          { issuer: owner, capabilities },
          { issuer: writer, capabilities },
        ])
        const chain = await verifying(last(tokens), { address: owner.address })
        expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
        expect(chain.principal.did).to.equal(writer.did)
      })
    }
  }

  it('may mix versions, the younger resting on the older', async () => {
    const eight = mint({ issuer: alice, audience: bob, capabilities: photos })
    const nine = mint({
      issuer: bob,
      audience: carol,
      capabilities: photos,
      version: '0.9.1',
      proofs: [eight],
    })
    const ten = mint({
      issuer: carol,
      audience: hubDid,
      capabilities: photos,
      version: '0.10.0',
      proofs: [nine],
    })
    expect(await outcome(ten, storing('photos/a'), { proofs: byCid(nine) })).to.equal('allowed')
  })

  it('may name a writer by address alone', async () => {
    const writer = persona('bob', 'secp256k1')
    const grant = mint({ issuer: alice, audience: didPkhOf(writer), capabilities: photos })
    const use = mint({ issuer: writer, audience: hubDid, capabilities: photos, proofs: [grant] })
    expect(await outcome(use, storing('photos/a'))).to.equal('allowed')
  })

  it('begins with whichever key controls the address: P2PKH or did:key', async () => {
    const owner = persona('olivia', 'secp256k1')
    for (const address of [owner.address, owner.did.slice('did:key:'.length)]) {
      const capabilities = [{ with: `gaia://${address}/`, can: 'gaia/store' }]
      const [, use = ''] = mintChain([
        { issuer: owner, capabilities },
        { issuer: bob, capabilities },
      ])
      expect(await outcome(use, storing('a'), { address })).to.equal('allowed')
    }
  })

  it('is not needed by the owner', async () => {
    const own = mint({ issuer: alice, audience: hubDid, capabilities: [can(alice, '', '*')] })
    const chain = await verifying(own)
    expect(outcomeOf(chain, deleting('anything'))).to.equal('allowed')
    expect(chain.namesProofs).to.equal(false)
  })

  it('gives no more than the invocation itself claims', async () => {
    const [grant = ''] = mintChain([{ issuer: alice, capabilities: [can(alice, '', '*')] }], bob)
    const use = mint({ issuer: bob, audience: hubDid, capabilities: photos, proofs: [grant] })
    expect(await outcome(use, storing('photos/a'))).to.equal('allowed')
    expect(await outcome(use, deleting('photos/a'))).to.equal('not-covered')
  })

  it('may be proven by any one of several proofs, each capability by its own', async () => {
    const forNotes = mint({
      issuer: alice,
      audience: bob,
      capabilities: [can(alice, 'notes/', 'gaia/delete')],
    })
    const forPhotos = mint({ issuer: alice, audience: bob, capabilities: photos })
    const use = mint({
      issuer: bob,
      audience: hubDid,
      capabilities: [...photos, can(alice, 'notes/', 'gaia/delete')],
      proofs: [forNotes, forPhotos],
    })
    expect(await outcome(use, storing('photos/a'))).to.equal('allowed')
    expect(await outcome(use, deleting('notes/a'))).to.equal('allowed')
    expect(await outcome(use, deleting('photos/a'))).to.equal('not-covered')
  })

  it('needs a proof only for the capabilities that serve the request', async () => {
    const grant = mint({ issuer: alice, audience: bob, capabilities: photos })
    const use = mint({
      issuer: bob,
      audience: hubDid,
      capabilities: [
        ...photos,
        can(alice, 'secret/', '*'),
        can(mallory, '', '*'),
        { with: 'mailto:b@example.com', can: 'msg/send' },
      ],
      proofs: [grant],
    })
    expect(await outcome(use, storing('photos/a'))).to.equal('allowed')
    expect(await outcome(use, storing('secret/a'))).to.equal('not-covered')
  })

  it('takes each alternative of a cap as a capability of its own', async () => {
    const capabilities = [
      can(alice, '', 'gaia/store', { maxSize: 10, contentType: ['image/*'] }),
      can(alice, '', 'gaia/store', { maxSize: 100, contentType: ['text/plain'] }),
    ]
    const tokens = mintChain([
      { issuer: alice, version: '0.10.0', capabilities },
      { issuer: bob, version: '0.10.0', capabilities },
    ])
    const changes = { proofs: byCid(...tokens) }
    expect(await outcome(last(tokens), storing('a', 50, 'text/plain'), changes)).to.equal('allowed')
    expect(await outcome(last(tokens), storing('a', 50, 'image/png'), changes)).to.equal('not-covered')
    expect(await outcome(last(tokens), storing('a', 5, 'image/png'), changes)).to.equal('allowed')
  })

  it('proves the store of gaia/archive from gaia/store, and keeps its delete back', async () => {
    const tokens = mintChain([
      { issuer: alice, capabilities: photos },
      { issuer: bob, capabilities: [can(alice, 'photos/', 'gaia/archive')] },
      { issuer: carol, capabilities: [can(alice, 'photos/a/', 'gaia/archive')] },
    ])
    const chain = await verifying(last(tokens))
    expect(chain.capabilities).to.deep.equal([])
    expect(chain.archiveStores.map(({ ability, reach }) => [ability, reach.path])).to.deep.equal([
      ['gaia/archive', 'photos/a/'],
    ])
    expect(outcomeOf(chain, storing('photos/a/b'))).to.equal('allowed')
    expect(outcomeOf(chain, deleting('photos/a/b'))).to.equal('not-covered')
  })

  it('proves the store of gaia/archive whatever stands beside the gaia/store', async () => {
    for (const held of [
      [...photos, can(alice, 'x/', '*')],
      [can(alice, 'x/', '*'), ...photos],
    ]) {
      const [, use = ''] = mintChain([
        { issuer: alice, capabilities: held },
        { issuer: bob, capabilities: [can(alice, 'photos/', 'gaia/archive')] },
      ])
      expect((await verifying(use)).archiveStores).to.have.length(1)
    }
  })

  it('tells what it rests on', async () => {
    const tokens = mintChain([
      { issuer: alice, capabilities: photos, issuedAt: testNow - 50 },
      { issuer: bob, capabilities: photos },
    ])
    const chain = await verifying(last(tokens))
    expect(chain.tokens.map(({ cid }) => cid)).to.deep.equal([...tokens].reverse().map(cidOf))
    expect(chain.tokens.map(({ revocationId }) => revocationId)).to.deep.equal(
      [...tokens].reverse().map(revocationIdOf),
    )
    expect(chain.tokens.map(({ issuer }) => issuer.did)).to.deep.equal([bob.did, alice.did])
    expect(chain.issuedAt).to.equal(testNow - 50)
    expect(chain.expiration).to.equal(testNow + 3600)
    expect(chain.namesProofs).to.equal(true)
  })

  it('that names no proof keeps its claims apart from what is proven', async () => {
    const chain = await verifying(mint({ issuer: bob, audience: hubDid, capabilities: photos }))
    expect(chain.capabilities).to.deep.equal([])
    expect(chain.claimed).to.have.length(1)
    expect(chain.namesProofs).to.equal(false)
    expect(outcomeOf(chain, storing('photos/a'))).to.equal('root-not-owner')
  })
})

describe('a proof that is named by CID', () => {
  const [grant = '', use = ''] = bobsChain('0.10.0')

  it('may come in the ucans header', async () => {
    const proofs = parseUcansHeader(ucansHeader(grant))
    expect(await outcome(use, storing('photos/a'), { proofs })).to.equal('allowed')
  })

  it('may be deposited, also several levels of them', async () => {
    const tokens = mintChain([
      { issuer: alice, version: '0.10.0', capabilities: photos },
      { issuer: bob, version: '0.10.0', capabilities: photos },
      { issuer: carol, version: '0.10.0', capabilities: photos },
    ])
    const deposited = byCid(...tokens)
    const resolveProof = (cid: string) => Promise.resolve(deposited.get(cid) ?? null)
    expect(await outcome(last(tokens), storing('photos/a'), { resolveProof })).to.equal('allowed')
  })

  it('is missing where nobody has it', async () => {
    expect(await outcome(use, storing('photos/a'))).to.equal('missing-proof')
    expect(await outcome(use, storing('photos/a'), { resolveProof: () => Promise.resolve(null) })).to.equal(
      'missing-proof',
    )
  })

  it('is missing where what is at hand does not suffice', async () => {
    const list = mint({
      issuer: alice,
      audience: bob,
      version: '0.10.0',
      capabilities: [can(alice, '', 'gaia/list')],
    })
    const both = mint({
      issuer: bob,
      audience: hubDid,
      version: '0.10.0',
      capabilities: photos,
      proofs: [list, grant],
    })
    expect(await outcome(both, storing('photos/a'), { proofs: byCid(list) })).to.equal('missing-proof')
  })

  it('is missing where storage puts another token in its place', async () => {
    const forged = mint({ issuer: mallory, audience: bob, capabilities: photos })
    const resolveProof = () => Promise.resolve(forged)
    expect(await outcome(use, storing('photos/a'), { resolveProof })).to.equal('missing-proof')
  })

  it('is not taken under the CID of another token', async () => {
    const other = mint({
      issuer: alice,
      audience: bob,
      version: '0.10.0',
      capabilities: [can(alice, '', '*')],
    })
    const proofs = new Map([[cidOf(grant), other]])
    expect(await outcome(use, storing('photos/a'), { proofs })).to.equal('malformed')
  })

  it('does not matter where the request is served without it', async () => {
    const other = mint({
      issuer: alice,
      audience: bob,
      version: '0.10.0',
      capabilities: [can(alice, 'x/', '*')],
    })
    const both = mint({
      issuer: bob,
      audience: hubDid,
      version: '0.10.0',
      capabilities: photos,
      proofs: [grant, other],
    })
    expect(await outcome(both, storing('photos/a'), { proofs: byCid(grant) })).to.equal('allowed')
  })

  it('is looked up only once the signatures that were sent are right, and each CID once', async () => {
    const asked: string[] = []
    const resolveProof = (cid: string) => {
      asked.push(cid)
      return Promise.resolve(null)
    }
    const forged = use.slice(0, -4).concat('AAAA')
    expect(await outcome(forged, storing('photos/a'), { resolveProof })).to.equal('bad-signature')
    expect(asked).to.deep.equal([])
    const twice = mint({
      issuer: bob,
      audience: hubDid,
      version: '0.10.0',
      payload: { prf: [cidOf(grant), cidOf(grant)] },
    })
    await verifying(twice, { resolveProof })
    expect(asked).to.deep.equal([cidOf(grant)])
  })

  it('lets a failing look-up fail the whole', async () => {
    const down = new Error('storage is down')
    for (const changes of [
      { resolveProof: () => Promise.reject(down) },
      { proofs: byCid(grant), isRevoked: () => Promise.reject(down) },
      { proofs: byCid(grant), oldestValidSeconds: () => Promise.reject(down) },
    ]) {
      const failure = await verifying(use, changes).then(
        () => null,
        (error: unknown) => error,
      )
      expect(failure).to.equal(down)
    }
  })
})

describe('the ucans header', () => {
  const [grant = ''] = bobsChain()

  it('may be absent, empty, or have empty elements', () => {
    expect(parseUcansHeader(undefined).size).to.equal(0)
    expect(parseUcansHeader('').size).to.equal(0)
    expect(parseUcansHeader(` , ${ucansHeader(grant)} ,`).size).to.equal(1)
  })

  const rows: Array<{ name: string; text: string; code: string }> = [
    { name: 'an entry without a CID', text: grant, code: 'malformed' },
    { name: 'an entry without a token', text: `${cidOf(grant)}:`, code: 'malformed' },
    { name: 'the CID of another token', text: `${cidOf('x')}: ${grant}`, code: 'malformed' },
    { name: 'a CID in upper case', text: `${cidOf(grant).toUpperCase()}: ${grant}`, code: 'malformed' },
    { name: 'one token twice', text: ucansHeader(grant, grant), code: 'malformed' },
    {
      name: '17 tokens',
      text: ucansHeader(...Array.from({ length: 17 }, (_, i) => `t${i}`)),
      code: 'too-large',
    },
    { name: 'more than any request may send', text: 'x'.repeat(20_000), code: 'too-large' },
  ]
  for (const { name, text, code } of rows) {
    it(`is refused: ${name}`, () => {
      let found = 'accepted'
      try {
        parseUcansHeader(text)
      } catch (error) {
        found = (error as { code: string }).code
      }
      expect(found).to.equal(code)
    })
  }
})

describe('a grant', () => {
  const grant = mint({
    issuer: alice,
    audience: bob,
    capabilities: photos,
    version: '0.10.0',
    expiration: null,
  })
  const asGrant = { purpose: 'delegation' } as const

  it('may be made out to anybody and last for ever', async () => {
    const chain = await verifying(grant, { ...asGrant, isAudience: () => true })
    expect(chain.audience).to.equal(bob.did)
    expect(chain.expiration).to.equal(null)
    expect(chain.capabilities).to.have.length(1)
  })

  it('may last longer than an invocation', async () => {
    const year = mint({
      issuer: alice,
      audience: bob,
      capabilities: photos,
      expiration: testNow + 31_536_000,
    })
    expect((await verifying(year, asGrant)).revoked)
      .to.equal(null)
      .and.to.equal(null)
    expect(await outcome(year, storing('photos/a'), { isAudience: () => true })).to.equal('time-bounds')
  })

  it('is held to the audience that is asked for', async () => {
    expect(
      await outcome(grant, storing('photos/a'), { ...asGrant, isAudience: (did) => did === carol.did }),
    ).to.equal('wrong-audience')
  })
})

describe('something to be revoked', () => {
  it('may have expired and may be made out to anybody, but its signatures and principals must be right', async () => {
    const asRevocation = { purpose: 'revocation', isAudience: () => false } as const
    const tokens = mintChain([
      { issuer: alice, capabilities: photos, expiration: testNow - 5 },
      { issuer: bob, capabilities: photos, expiration: testNow - 5 },
    ])
    const chain = await verifying(last(tokens), asRevocation)
    expect(chain.tokens.map(({ issuer }) => issuer.did)).to.deep.equal([bob.did, alice.did])
    expect(await outcome(last(tokens).slice(0, -4).concat('AAAA'), storing('a'), asRevocation)).to.equal(
      'bad-signature',
    )
    const stolen = mint({ issuer: mallory, audience: hubDid, proofs: tokens.slice(0, 1) })
    expect(await outcome(stolen, storing('a'), asRevocation)).to.equal('principal-mismatch')
  })
})

describe('what was verified before', () => {
  it('costs no signature check again, and everything else is checked anew', async () => {
    const checked: string[] = []
    const verified = new LRUCache<string, Ucan>({ max: 100 })
    const changes = {
      verified,
      checkSignature: (key: { did: string }) => {
        checked.push(key.did)
        return true
      },
    }
    const use = last(bobsChain())
    expect(await outcome(use, storing('photos/a'), changes)).to.equal('allowed')
    expect(checked).to.have.length(2)
    expect(await outcome(use, storing('photos/a'), changes)).to.equal('allowed')
    expect(await outcome(use, storing('x'), changes)).to.equal('not-covered')
    expect(await outcome(use, storing('photos/a'), { ...changes, now: testNow + 3600 })).to.equal('expired')
    expect(await outcome(use, storing('photos/a'), { ...changes, isAudience: () => false })).to.equal(
      'wrong-audience',
    )
    const isRevoked = () => Promise.resolve(true)
    expect(await outcome(use, storing('photos/a'), { ...changes, isRevoked })).to.equal('revoked')
    expect(checked).to.have.length(2)
  })

  it('is never something whose signature was wrong', async () => {
    const verified = new LRUCache<string, Ucan>({ max: 100 })
    const forged = last(bobsChain()).slice(0, -4).concat('AAAA')
    for (let i = 0; i < 2; i++) {
      expect(await outcome(forged, storing('photos/a'), { verified })).to.equal('bad-signature')
    }
    expect(verified.has(cidOf(forged))).to.equal(false)
  })
})

describe('the verifier as a library', () => {
  it('does not take an invocation without being told whom it must be made out to', async () => {
    const use = last(bobsChain())
    const failure = await verifyChain(use, {
      purpose: 'invocation',
      address: alice.address,
      now: testNow,
      oldestValidSeconds: () => Promise.resolve(null),
      isRevoked: () => Promise.resolve(false),
    }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).to.be.instanceOf(TypeError)
  })

  it('keeps people apart', () => {
    const people: Persona[] = [alice, bob, carol, mallory]
    expect(new Set(people.map(({ did }) => did)).size).to.equal(4)
  })
})
