import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import * as ucans from '@ucans/ucans'
import { expect } from 'chai'
import { maxChainLength } from '../../../client/delegation/limits.ts'
import { didPkhOf } from '../../../client/did.ts'
import { type DelegateOptions, Delegation, delegate, inspect } from '../../../client/index.ts'
import { verifyChain } from '../../../hub/auth/ucan/index.ts'
import { can, mint } from '../../ucan/mint.ts'
import { persona } from '../../ucan/personas.ts'
import { type Somebody, somebody } from './people.ts'
import { refusal } from './refusal.ts'

const base58check = createBase58check(sha256)

const nowMs = 1_800_000_000_500
const now = () => nowMs
const nowSeconds = 1_800_000_000

describe('delegate', () => {
  let alice: Somebody
  let bob: Somebody
  let carol: Somebody

  before(async () => {
    alice = await somebody('secp256k1')
    bob = await somebody('P-256')
    carol = await somebody('Ed25519')
  })

  const make = (options: Partial<DelegateOptions> = {}) =>
    delegate(alice.signer, { to: bob.did, path: 'photos/', can: 'store', expires: '1d', now, ...options })

  it('says what was asked for, for the signer’s own bucket', async () => {
    const caveats = { maxSize: 5, contentType: ['Image/PNG; q=1', 'text/*'] }
    const given = await make({ path: ['photos/', 'a.txt'], can: ['store', 'grant'], caveats, starts: '1h' })
    const nb = { maxSize: 5, contentType: ['image/png', 'text/*'] }
    expect(given.capabilities).to.deep.equal([
      { with: `gaia://${alice.address}/photos/`, can: 'gaia/store', nb },
      { with: `gaia://${alice.address}/photos/`, can: 'gaia/grant' },
      { with: `gaia://${alice.address}/a.txt`, can: 'gaia/store', nb },
      { with: `gaia://${alice.address}/a.txt`, can: 'gaia/grant' },
    ])
    expect(given).to.include({ issuer: alice.did, audience: bob.did, expiration: nowSeconds + 86_400 })
    expect(given.notBefore).to.equal(nowSeconds + 3_600)
    expect(given.chain.tokens[0]?.issuedAt).to.equal(nowSeconds)
  })

  it('makes two delegations of the same words two: one may be revoked without the other', async () => {
    const [one, other] = [await make(), await make()]
    expect(one.cid).to.not.equal(other.cid)
    expect(one.token.split('.')[1]).to.not.equal(other.token.split('.')[1])
  })

  it('knows recipients by did:key, did:pkh and address', async () => {
    const audiences = [bob.did, bob.address, alice.address, didPkhOf(alice.address), alice.did]
    const given = await Promise.all(audiences.map((to) => make({ to })))
    const pkh = didPkhOf(alice.address)
    expect(given.map(({ audience }) => audience)).to.deep.equal([bob.did, bob.did, pkh, pkh, alice.did])
  })

  for (const [what, options, code] of [
    ['a hub as recipient', { to: 'did:web:hub.example' }, 'invalid-recipient'],
    ['an address with a slip of the pen', { to: '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3' }, 'invalid-recipient'],
    ['an address of another kind', { to: '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy' }, 'invalid-recipient'],
    [
      'a checked text that is no address',
      { to: base58check.encode(new Uint8Array(20)) },
      'invalid-recipient',
    ],
    ['a name', { to: 'bob' }, 'invalid-recipient'],
    [
      'a did:key of another kind',
      { to: 'did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc' },
      'invalid-recipient',
    ],
    ['a path that goes up', { path: '../a' }, 'invalid-path'],
    ['a path with a percent sign', { path: 'a%20b' }, 'invalid-path'],
    ['a path with an empty segment', { path: 'a//' }, 'invalid-path'],
    ['the slash alone', { path: '/' }, 'invalid-path'],
    ['an unknown ability', { can: 'write' }, 'invalid-ability'],
    ['an ability of another namespace', { can: 'msg/send' }, 'invalid-ability'],
    ['an unknown caveat', { caveats: { maxAge: 5 } as object }, 'invalid-caveats'],
    ['a negative size', { caveats: { maxSize: -1 } }, 'invalid-caveats'],
    ['all types', { caveats: { contentType: ['*/*'] } }, 'invalid-caveats'],
    ['an end in the past', { expires: nowSeconds }, 'invalid-expiry'],
    ['an end in milliseconds', { expires: nowMs }, 'invalid-expiry'],
    ['an end that is no time', { expires: 'soon' }, 'invalid-expiry'],
    ['an end before the begin', { expires: '1h', starts: '2h' }, 'invalid-expiry'],
    [
      'somebody else’s bucket without "via"',
      { address: '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2' },
      'root-not-owner',
    ],
  ] as const) {
    it(`refuses ${what} as ${code}`, async () => {
      expect((await refusal(make(options))).code).to.equal(code)
    })
  }

  it('asks for an end, a path and an ability of what rests on nothing', async () => {
    const rest = { to: bob.did, path: '', can: '*', now }
    expect((await refusal(delegate(alice.signer, rest))).code).to.equal('invalid-expiry')
    const { path: _path, ...noPath } = { ...rest, expires: '1d' }
    expect((await refusal(delegate(alice.signer, noPath))).code).to.equal('invalid-path')
    const { can: _can, ...noAbility } = { ...rest, expires: '1d' }
    expect((await refusal(delegate(alice.signer, noAbility))).code).to.equal('invalid-ability')
  })

  for (const [expires, seconds] of [
    ['45s', 45],
    ['30m', 1_800],
    ['12h', 43_200],
    ['2w', 1_209_600],
    [new Date(nowMs + 90_000), 90],
    [nowSeconds + 7, 7],
    [new Date((nowSeconds + 60) * 1000).toISOString(), 60],
  ] as const) {
    it(`ends ${seconds} s from now by ${String(expires)}`, async () => {
      expect((await make({ expires })).expiration).to.equal(nowSeconds + seconds)
    })
  }

  it('makes tokens that @ucans/ucans reads and verifies', async () => {
    const given = await delegate(bob.signer, { to: carol.did, path: 'photos/', can: 'store', expires: '1d' })
    const handedOn = await given.attenuate({ signer: carol.signer, to: bob.did, path: 'photos/2026/' })
    const read = await ucans.validate(handedOn.token)
    expect(read.payload.aud).to.equal(bob.did)
    const [proof = ''] = read.payload.prf
    expect((await ucans.validate(proof)).payload.iss).to.equal(bob.did)
  })

  describe('and what is handed on', () => {
    let given: Delegation

    before(async () => {
      given = await make({ can: ['store', 'list', 'grant'], caveats: { maxSize: 100 } })
    })

    const handOn = (options: Partial<DelegateOptions> = {}, by: Somebody = bob) =>
      given.attenuate({ signer: by.signer, to: carol.did, now, ...options })

    it('is the same where nothing is said', async () => {
      const same = await handOn()
      expect(same.capabilities).to.deep.equal(given.capabilities)
      expect(same.expiration).to.equal(given.expiration)
      expect((await inspect(same, { now })).problems).to.deep.equal([])
    })

    it('keeps what is narrowed, and may narrow more', async () => {
      const less = await handOn({
        path: 'photos/a.png',
        can: 'store',
        caveats: { contentType: ['image/png'] },
      })
      const nb = { maxSize: 100, contentType: ['image/png'] }
      const resource = `gaia://${alice.address}/photos/a.png`
      expect(less.capabilities).to.deep.equal([{ with: resource, can: 'gaia/store', nb }])
      const listing = await handOn({ can: 'list', path: 'photos/2026/' })
      expect(listing.capabilities[0]?.nb).to.deep.equal({ maxSize: 100 })
      expect((await inspect(less, { now })).valid && (await inspect(listing, { now })).valid).to.equal(true)
    })

    it('passes on of each only what is held, where a path alone is named', async () => {
      const two = await make({ path: ['a/', 'b/'], can: 'store' })
      const one = await two.attenuate({ signer: bob.signer, to: carol.did, path: 'b/c/', now })
      expect(one.capabilities.map((capability) => capability.with)).to.deep.equal([
        `gaia://${alice.address}/b/c/`,
      ])
    })

    for (const [what, options, code] of [
      ['a wider path', { path: '' }, 'not-covered'],
      ['a path beside it', { path: ['photos/', 'photos2/'] }, 'not-covered'],
      ['the folder by its file name', { path: 'photos' }, 'not-covered'],
      ['another ability', { can: ['store', 'delete'] }, 'not-covered'],
      ['another ability on a path', { path: 'photos/', can: 'delete' }, 'not-covered'],
      ['a larger size', { caveats: { maxSize: 101 } }, 'not-covered'],
      [
        'a larger size on a path',
        { path: 'photos/', can: 'store', caveats: { maxSize: 101 } },
        'not-covered',
      ],
      ['a later end', { expires: '25h' }, 'time-bounds'],
    ] as const) {
      it(`is refused as ${code} with ${what}`, async () => {
        expect((await refusal(handOn(options))).code).to.equal(code)
      })
    }

    it('is refused by any other key than the recipient’s', async () => {
      expect((await refusal(handOn({}, carol))).code).to.equal('principal-mismatch')
      const toAddress = await delegate(bob.signer, {
        to: alice.address,
        path: '',
        can: '*',
        expires: '1d',
        now,
      })
      const handedOn = await toAddress.attenuate({ signer: alice.signer, to: carol.did, now })
      const { problems } = await inspect(handedOn, { now })
      expect(problems).to.deep.equal([])
    })

    it('may rest on several, each of which gives a part', async () => {
      const parts = [await make({ path: 'a/' }), await make({ path: 'b/', can: 'list' })]
      const both = await delegate(bob.signer, { via: parts, to: carol.did, now })
      expect(both.capabilities.map((capability) => capability.can)).to.deep.equal(['gaia/store', 'gaia/list'])
      expect((await inspect(both, { now })).valid).to.equal(true)
    })

    it('holds its proofs while it is short, then names them; all of it stays within the limits of hubs', async () => {
      let chain = given
      const forms: boolean[] = []
      let [by, to] = [bob, carol]
      while (forms.length < maxChainLength - 1) {
        chain = await chain.attenuate({ signer: by.signer, to: to.did, now })
        forms.push(chain.isSelfContained)
        ;[by, to] = [to, by]
      }
      expect(forms.slice(0, 2)).to.deep.equal([true, true])
      expect(forms.lastIndexOf(true)).to.be.lessThan(forms.indexOf(false))
      expect(chain.toString().length).to.be.lessThan(16_384)
      expect((await inspect(chain, { now })).problems).to.deep.equal([])
      const next = chain.attenuate({ signer: by.signer, to: to.did, now })
      expect((await refusal(next)).code).to.equal('too-deep')
    })

    for (const [version, header, expected] of [
      ['0.10.0', {}, '0.10.0'],
      ['0.9.1', { ucv: '0.9.7' }, '0.9.7'],
      ['0.8.1', { ucv: '0.8.4' }, '0.8.4'],
      ['0.8.0', {}, '0.8.1'],
    ] as const) {
      it(`is of version ${expected} upon a proof of ${header.ucv ?? version}: never an older one`, async () => {
        const dave = persona('dave', 'P-256')
        const proof = mint({
          issuer: dave,
          audience: dave,
          version,
          header,
          capabilities: [can(dave, '', '*')],
        })
        const signer = { did: () => dave.did, jwtAlg: 'ES256', sign: (bytes: Uint8Array) => dave.sign(bytes) }
        const next = await Delegation.of(proof).attenuate({ signer, to: carol.did, now })
        const { links, problems } = await inspect(next, { now })
        expect(links.map((link) => link.version)).to.deep.equal([expected, header.ucv ?? version])
        expect(problems).to.deep.equal([])
        expect(await inForceAt(dave.address, next)).to.equal(true)
      })
    }

    it('names its proofs at once where it is told to', async () => {
      const named = await handOn({ form: 'cid' })
      expect(named.proofs).to.deep.equal([given.token])
      expect((await inspect(named, { now })).links.map(({ version }) => version)).to.deep.equal([
        '0.9.1',
        '0.8.1',
      ])
      const inline = named.attenuate({ signer: carol.signer, to: bob.did, now, form: 'inline' })
      expect((await refusal(inline)).code).to.equal('too-large')
    })
  })
})

/** Whether the verifier of hubs takes all of it for a grant. */
async function inForceAt(address: string, { token, proofs, chain }: Delegation): Promise<boolean> {
  const verified = await verifyChain(token, {
    purpose: 'delegation',
    address,
    now: nowSeconds,
    proofs: new Map(proofs.map((jwt) => [chain.tokens.find((one) => one.jwt === jwt)?.cid ?? '', jwt])),
    oldestValidSeconds: () => Promise.resolve(null),
    isRevoked: () => Promise.resolve(false),
  })
  return verified.capabilities.length === chain.tokens[0]?.capabilities.length
}
