import { Buffer } from 'node:buffer'
import * as ucans from '@ucans/ucans'
import { expect } from 'chai'
import { TokenSigner } from 'jsontokens'
import { addressOf, type KeyKind, publicKeyFromDid } from '../../hub/auth/keys.ts'
import { verifySignature } from '../../hub/auth/signature.ts'
import { can, compose, hubDid, type MintOptions, mint, mintChain } from './mint.ts'
import { alice, bob, carol, mallory, type Persona, persona } from './personas.ts'
import { outcome, storing } from './verifying.ts'

/** The library reads the clock, so these tests do too. */
const now = Math.floor(Date.now() / 1000)
const hour = now + 3600

/** The library with a plugin for the keys that it lacks. */
const library = ucans.getPluginInjectedApi(
  new ucans.Plugins(
    [
      ...ucans.defaults.keys,
      {
        prefix: Uint8Array.of(0xe7, 0x01),
        jwtAlg: 'ES256K',
        verifySignature: (did, data, signature) =>
          Promise.resolve(verifySignature(publicKeyFromDid(did), data, signature)),
      },
    ],
    {},
  ),
)

const makeKey: Record<KeyKind, () => Promise<ucans.DidableKey>> = {
  Ed25519: () => ucans.EdKeypair.create(),
  'P-256': () => ucans.EcdsaKeypair.create(),
  secp256k1: () => Promise.resolve(secp256k1Key(persona(`library ${Math.random()}`, 'secp256k1'))),
}

function secp256k1Key(who: Persona): ucans.DidableKey {
  return { jwtAlg: 'ES256K', did: () => who.did, sign: (data) => Promise.resolve(who.sign(data)) }
}

function gaia(address: string, path: string, ability: string): ucans.Capability {
  return {
    with: { scheme: 'gaia', hierPart: `//${address}/${path}` },
    can: { namespace: 'gaia', segments: [ability] },
  }
}

/** What PROTOCOL 2.1 says of paths and abilities, in the library's terms. */
const semantics: ucans.DelegationSemantics = {
  canDelegateResource: (parent, child) =>
    parent.scheme === child.scheme &&
    (parent.hierPart.endsWith('/')
      ? child.hierPart.startsWith(parent.hierPart)
      : child.hierPart === parent.hierPart),
  canDelegateAbility: (parent, child) => {
    if (parent === ucans.SUPERUSER) return true
    if (child === ucans.SUPERUSER) return false
    const [held] = parent.segments
    const [wanted] = child.segments
    return parent.namespace === child.namespace && (held === wanted || (held === '*' && wanted !== 'grant'))
  },
}

/** Whether the library lets a token store `photos/a` at Alice's. */
async function libraryAccepts(jwt: string): Promise<boolean> {
  const result = await library.verify(jwt, {
    audience: hubDid,
    requiredCapabilities: [{ capability: gaia(alice.address, 'photos/a', 'store'), rootIssuer: alice.did }],
    semantics,
  })
  return result.ok
}

describe('chains built with @ucans/ucans', () => {
  for (const first of ['Ed25519', 'P-256', 'secp256k1'] as const) {
    for (const second of ['Ed25519', 'P-256', 'secp256k1'] as const) {
      it(`are accepted: an ${first} owner, an ${second} writer`, async () => {
        const owner = await makeKey[first]()
        const friend = await makeKey[second]()
        const writer = await makeKey[first]()
        const address = addressOf(publicKeyFromDid(owner.did()))
        const keys = [owner, friend, writer]
        let proofs: string[] = []
        for (const [index, issuer] of keys.entries()) {
          const built = await library.build({
            issuer,
            audience: keys[index + 1]?.did() ?? hubDid,
            capabilities: [gaia(address, index === 0 ? 'photos/' : 'photos/2026/', 'store')],
            expiration: hour,
            facts: [{ iat: now }],
            proofs,
            addNonce: true,
          })
          proofs = [ucans.encode(built)]
        }
        const [use = ''] = proofs
        expect(await outcome(use, storing('photos/2026/a'), { address, now })).to.equal('allowed')
        expect(await outcome(use, storing('photos/a'), { address, now })).to.equal('not-covered')
      })
    }
  }
})

/** A UCAN as jsontokens makes it; some of its signatures have a high s. */
function byJsontokens(options: MintOptions): string {
  const { payload } = compose(options)
  const signer = new TokenSigner('ES256K', Buffer.from(options.issuer.secretKey).toString('hex'))
  return signer.sign(JSON.parse(JSON.stringify(payload)), false, { ucv: '0.8.1' })
}

describe('tokens minted with jsontokens', () => {
  it('are accepted, whichever s their signatures have', async () => {
    const owner = persona('alice', 'secp256k1')
    const writer = persona('bob', 'secp256k1')
    const capabilities = [can(owner, 'photos/', 'gaia/store')]
    let highs = 0
    for (let i = 0; i < 24; i++) {
      const grant = byJsontokens({ issuer: owner, audience: writer, capabilities, issuedAt: i })
      const use = byJsontokens({ issuer: writer, audience: hubDid, capabilities, proofs: [grant] })
      if (hasHighS(use)) highs++
      expect(await outcome(use, storing('photos/a'), { address: owner.address })).to.equal('allowed')
    }
    expect(highs, 'signatures with a high s among the 24').to.be.greaterThan(0).and.lessThan(24)
  })
})

function hasHighS(jwt: string): boolean {
  return (Buffer.from(jwt.split('.')[2] ?? '', 'base64url')[32] ?? 0) > 0x7f
}

const photos = [can(alice, 'photos/', 'gaia/store')]

function chain(...links: Array<Partial<MintOptions>>): string {
  const people = [alice, bob, carol]
  const tokens = mintChain(
    links.map((link, i) => ({ issuer: people[i] ?? alice, capabilities: photos, expiration: hour, ...link })),
  )
  return tokens.at(-1) ?? ''
}

function use(proof: Partial<MintOptions>, changes: Partial<MintOptions> = {}): string {
  const grant = mint({ issuer: alice, audience: bob, capabilities: photos, expiration: hour, ...proof })
  return mint({
    issuer: bob,
    audience: hubDid,
    capabilities: photos,
    expiration: hour,
    proofs: [grant],
    ...changes,
  })
}

/** Members of a JSON Web Signature changed after it was made, without the header and payload that are signed. */
function resigned(jwt: string, change: (signature: string) => string): string {
  const [header, payload, signature = ''] = jwt.split('.')
  return `${header}.${payload}.${change(signature)}`
}

describe('both verifiers', () => {
  const agreed: Array<{ name: string; jwt: string; ours: string }> = [
    { name: "the owner's own invocation", jwt: chain({}), ours: 'allowed' },
    { name: 'two links', jwt: chain({}, {}), ours: 'allowed' },
    { name: 'three links', jwt: chain({}, {}, {}), ours: 'allowed' },
    {
      name: 'a narrower path on the way',
      jwt: chain({ capabilities: [can(alice, '', 'gaia/store')] }, {}, {}),
      ours: 'allowed',
    },
    {
      name: 'gaia/* to gaia/store',
      jwt: chain({ capabilities: [can(alice, '', 'gaia/*')] }, {}),
      ours: 'allowed',
    },
    { name: '* to gaia/store', jwt: chain({ capabilities: [can(alice, '', '*')] }, {}), ours: 'allowed' },
    { name: 'a P-256 writer', jwt: chain({}, { issuer: persona('bob', 'P-256') }), ours: 'allowed' },
    { name: 'a secp256k1 writer', jwt: chain({}, { issuer: persona('bob', 'secp256k1') }), ours: 'allowed' },
    { name: 'another hub', jwt: use({}, { audience: 'did:web:other.example' }), ours: 'wrong-audience' },
    { name: 'an expired invocation', jwt: use({}, { expiration: now - 5 }), ours: 'expired' },
    { name: 'an expired proof', jwt: use({ expiration: now - 5 }), ours: 'expired' },
    {
      name: 'an invocation that is too early',
      jwt: use({}, { notBefore: now + 600 }),
      ours: 'not-yet-valid',
    },
    { name: 'a forged invocation', jwt: use({}, { signer: mallory }), ours: 'bad-signature' },
    { name: 'a forged proof', jwt: use({ signer: mallory }), ours: 'bad-signature' },
    { name: 'a proof for another key', jwt: use({ audience: carol }), ours: 'principal-mismatch' },
    { name: 'a root that is not the owner', jwt: use({ issuer: mallory }), ours: 'root-not-owner' },
    {
      name: 'a wider path',
      jwt: use({ capabilities: [can(alice, 'photos/2026/', 'gaia/store')] }),
      ours: 'not-covered',
    },
    {
      name: 'another ability',
      jwt: use({ capabilities: [can(alice, 'photos/', 'gaia/list')] }),
      ours: 'not-covered',
    },
    {
      name: 'a child that predates its proof',
      jwt: use({ notBefore: 6 }, { notBefore: 5 }),
      ours: 'time-bounds',
    },
    { name: 'an HMAC', jwt: use({ header: { alg: 'HS256' } }), ours: 'malformed' },
    { name: 'no algorithm', jwt: use({}, { header: { alg: 'none' } }), ours: 'malformed' },
    { name: 'a younger proof', jwt: use({}, { header: { ucv: '0.8.0' } }), ours: 'malformed' },
    { name: 'two segments', jwt: chain({}).split('.').slice(0, 2).join('.'), ours: 'malformed' },
  ]
  for (const { name, jwt, ours } of agreed) {
    it(`agree on ${name}: ${ours}`, async () => {
      expect(await outcome(jwt, storing('photos/a'), { now })).to.equal(ours)
      expect(await libraryAccepts(jwt)).to.equal(ours === 'allowed')
    })
  }

  /** Where the library is wrong by PROTOCOL 2.2, or by its own specification. */
  const disagreed: Array<{ name: string; jwt: string; ours: string; library: 'accepts' | 'refuses' }> = [
    {
      name: 'a proof with nbf, which is in force',
      jwt: use({ notBefore: now - 60 }),
      ours: 'allowed',
      library: 'refuses',
    },
    {
      name: 'a child that outlives its proof',
      jwt: use({ expiration: now + 600 }),
      ours: 'time-bounds',
      library: 'accepts',
    },
    {
      name: 'an invocation for a year',
      jwt: use({ expiration: now + 31_536_000 }, { expiration: now + 31_536_000 }),
      ours: 'time-bounds',
      library: 'accepts',
    },
    {
      name: 'a dropped caveat',
      jwt: use({ capabilities: [can(alice, 'photos/', 'gaia/store', { maxSize: 0 })] }),
      ours: 'not-covered',
      library: 'accepts',
    },
    {
      name: 'a caveat that nobody knows',
      jwt: use({ capabilities: [can(alice, 'photos/', 'gaia/store', { moon: 'full' })] }),
      ours: 'malformed',
      library: 'accepts',
    },
    { name: 'a fourth segment', jwt: `${use({})}.AAAA`, ours: 'malformed', library: 'accepts' },
    {
      name: 'another type of token',
      jwt: use({}, { header: { typ: 'FOO' } }),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'critical extensions that nobody knows',
      jwt: use({}, { header: { crit: ['moon'], moon: 1 } }),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a version that nobody knows',
      jwt: use({}, { header: { ucv: '9.9.9' } }),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a padded signature',
      jwt: resigned(use({}), (s) => `${s}==`),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a proof that is broken beside a good one',
      jwt: use(
        {},
        { proofs: [mint({ issuer: alice, audience: bob, capabilities: photos, expiration: hour }), 'x.y.z'] },
      ),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a proof that has expired beside a good one',
      jwt: use(
        {},
        {
          proofs: [
            mint({ issuer: alice, audience: bob, capabilities: photos, expiration: hour }),
            mint({ issuer: alice, audience: bob, expiration: 5 }),
          ],
        },
      ),
      ours: 'expired',
      library: 'accepts',
    },
    {
      name: 'everything that Alice owns',
      jwt: use(
        { capabilities: [{ with: 'my:gaia', can: '*' }] },
        { capabilities: [{ with: `as:${alice.did}:gaia`, can: '*' }] },
      ),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a path that climbs',
      jwt: use({}, { capabilities: [...photos, can(alice, 'photos/../', 'gaia/store')] }),
      ours: 'malformed',
      library: 'accepts',
    },
    {
      name: 'a writer who is named by address',
      jwt: use(
        {
          audience: `did:pkh:bip122:000000000019d6689c085ae165831e93:${persona('bob', 'secp256k1').address}`,
        },
        { issuer: persona('bob', 'secp256k1') },
      ),
      ours: 'allowed',
      library: 'refuses',
    },
  ]
  for (const { name, jwt, ours, library: theirs } of disagreed) {
    it(`differ on ${name}: ${ours} here, the library ${theirs}`, async () => {
      expect(await outcome(jwt, storing('photos/a'), { now })).to.equal(ours)
      expect(await libraryAccepts(jwt)).to.equal(theirs === 'accepts')
    })
  }
})
