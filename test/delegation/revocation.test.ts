import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { cidOf, revocationIdOf } from '../../hub/auth/ucan/index.ts'
import { legacyToken } from '../hub/tokens.ts'
import { base64url, can, hubDid, mint, testNow } from '../ucan/mint.ts'
import { type Persona, persona } from '../ucan/personas.ts'
import {
  asOwner,
  bob,
  carol,
  dave,
  delegate,
  invoke,
  mallory,
  newOwner,
  personOf,
  type TokenChanges,
  v1,
} from './people.ts'
import { expectRefused, expectStatus, type Refusal, suiteWorld, type World, withWorld } from './world.ts'

const suite = suiteWorld()

/** Alice lets Bob, who lets Carol, who lets Dave; and Alice lets Dave on his own. */
function family(owner: Persona = newOwner(), version: '0.8.1' | '0.10.0' = '0.8.1') {
  const held = [can(owner, 'photos/', 'gaia/store')]
  const toBob = delegate(owner, bob, held, { version })
  const toCarol = delegate(bob, carol, held, { version, proofs: [toBob] })
  const toDave = delegate(carol, dave, held, { version, proofs: [toCarol] })
  const davesOwn = delegate(owner, dave, held, { version, issuedAt: 1 })
  const use = (who: Persona, proof: string) => invoke(who, held, { version, proofs: [proof] })
  return {
    owner,
    held,
    toBob,
    toCarol,
    toDave,
    davesOwn,
    byBob: use(bob, toBob),
    byCarol: use(carol, toCarol),
    byDave: use(dave, toDave),
    byDaveAlone: use(dave, davesOwn),
  }
}

type Family = ReturnType<typeof family>

/** Which of Bob, Carol, Dave and Dave on his own can still write. */
async function writers(world: World, { owner, ...of }: Family): Promise<string> {
  const letters: string[] = []
  for (const [letter, as] of Object.entries({
    b: of.byBob,
    c: of.byCarol,
    d: of.byDave,
    o: of.byDaveAlone,
  })) {
    const answer = await world.store(owner, 'photos/a', { as })
    if (answer.status === 202) letters.push(letter)
    else expectRefused(answer, { code: 'revoked' })
  }
  return letters.join('')
}

describe('revoking', () => {
  const rows: Array<{
    name: string
    what: 'toBob' | 'toCarol' | 'toDave' | 'davesOwn' | 'byBob'
    left: string
  }> = [
    { name: "Bob's grant stops all that passes through it, not Dave's own", what: 'toBob', left: 'o' },
    { name: "Carol's stops Carol and those behind her, not Bob", what: 'toCarol', left: 'bo' },
    { name: "Dave's stops Dave through Carol alone", what: 'toDave', left: 'bco' },
    { name: "Dave's own stops that alone", what: 'davesOwn', left: 'bcd' },
    { name: 'an invocation stops that alone', what: 'byBob', left: 'cdo' },
  ]
  for (const { name, what, left } of rows) {
    it(`${name}, by ucan`, async () => {
      const { world } = suite
      const all = family()
      expect(await writers(world, all)).to.equal('bcdo')
      const ucan = all[what].replace('ucan:', '')
      const answer = await world.revoke(all.owner, { ucan }, { as: asOwner(all.owner) })
      expectStatus(answer, 202)
      expect(answer.json).to.deep.equal({ status: 'success', cid: cidOf(ucan) })
      expect(await writers(world, all)).to.equal(left)
    })
  }

  for (const what of ['toBob', 'toCarol', 'toDave', 'davesOwn'] as const) {
    it(`${what} stops what was deposited likewise, by cid`, async () => {
      const { world } = suite
      const all = family()
      for (const ucan of [all.toBob, all.toCarol, all.toDave, all.davesOwn]) {
        await world.deposit(all.owner, { ucan }, { as: asOwner(all.owner) })
      }
      const cid = cidOf(all[what])
      expectStatus(await world.revoke(all.owner, { cid }, { as: asOwner(all.owner) }), 202)
      const can = async (as: string) => (await world.store(all.owner, 'photos/a', { as })).status === 202
      expect(await can(v1(bob))).to.equal(what !== 'toBob')
      expect(await can(invoke(carol, all.held))).to.equal(what !== 'toBob' && what !== 'toCarol')
      // Two grants lead to Dave.
      expect(await can(invoke(dave, all.held))).to.equal(true)
    })
  }

  it('writes one record, under the hash of what was signed, and no second one', async () => {
    const { world } = suite
    const { owner, toBob } = family()
    const expected = new RegExp(`^${owner.address}-auth/revocations/${revocationIdOf(toBob)}\\.json `)
    for (let i = 0; i < 2; i++) {
      expectStatus(await world.revoke(owner, { ucan: toBob }, { as: asOwner(owner) }), 202)
      const snapshot = await world.snapshot(owner)
      expect(snapshot).to.have.length(1)
      expect(snapshot[0]).to.match(expected)
    }
  })

  it('cannot be taken back: not by a grant, a revoke-all or a second revocation', async () => {
    const { world } = suite
    const all = family()
    const ask = { as: asOwner(all.owner) }
    await world.revoke(all.owner, { ucan: all.toBob }, ask)
    await world.revoke(all.owner, { ucan: all.toBob }, ask)
    expectRefused(await world.deposit(all.owner, { ucan: all.toBob }, ask), { code: 'revoked' })
    await world.revokeAll(all.owner, 0, ask)
    await world.delete(all.owner, `${'x'}/../${all.owner.address}-auth`, ask)
    expect((await world.store(all.owner, 'photos/a', { as: all.byBob })).json?.code).to.equal('revoked')
  })

  it('of an expired delegation is taken', async () => {
    const { world } = suite
    const owner = newOwner()
    const ucan = delegate(owner, bob, [can(owner, '', '*')], { expiration: testNow - 1 })
    expectStatus(await world.revoke(owner, { ucan }, { as: asOwner(owner) }), 202)
  })
})

describe('who may revoke', () => {
  type Deposited = 'toBob' | 'toCarol'
  const rows: Array<{
    name: string
    what: Deposited
    as: (owner: Persona) => string
    refused?: Refusal
  }> = [
    { name: 'the owner with v1', what: 'toCarol', as: (owner) => v1(owner) },
    { name: 'the owner with a legacy token', what: 'toCarol', as: (owner) => legacyToken(personOf(owner)) },
    { name: 'the owner with *', what: 'toCarol', as: (owner) => invoke(owner, [can(owner, '', '*')]) },
    { name: 'Bob what he gave, with v1', what: 'toCarol', as: () => v1(bob) },
    { name: 'Bob what he gave, with an empty invocation', what: 'toCarol', as: () => invoke(bob) },
    {
      name: 'the owner with gaia/*',
      what: 'toBob',
      as: (owner) => invoke(owner, [can(owner, '', 'gaia/*')]),
      refused: { code: 'not-covered', link: 0 },
    },
    {
      name: 'the owner with * on a folder',
      what: 'toBob',
      as: (owner) => invoke(owner, [can(owner, 'photos/', '*')]),
      refused: { code: 'not-covered', link: 0 },
    },
    {
      name: 'the owner with an empty invocation',
      what: 'toBob',
      as: (owner) => invoke(owner),
      refused: { code: 'not-covered', link: 0 },
    },
    {
      name: 'the audience with an invocation',
      what: 'toCarol',
      as: () => invoke(carol),
      refused: { code: 'not-covered' },
    },
    {
      name: 'the audience who claims it',
      what: 'toCarol',
      as: (owner) => invoke(carol, [can(owner, '', '*')]),
      refused: { code: 'root-not-owner', link: 0, claim: 'iss' },
    },
    { name: 'the audience with v1', what: 'toBob', as: () => v1(bob), refused: { code: 'not-covered' } },
    {
      name: 'Dave, who has a grant of his own',
      what: 'toBob',
      as: () => invoke(dave),
      refused: { code: 'not-covered' },
    },
    { name: 'a stranger with v1', what: 'toBob', as: () => v1(mallory), refused: { code: 'no-grant' } },
    {
      name: 'a stranger with an invocation',
      what: 'toBob',
      as: () => invoke(mallory),
      refused: { code: 'not-covered' },
    },
    {
      name: 'a stranger who claims it',
      what: 'toBob',
      as: (owner) => invoke(mallory, [can(owner, '', '*')]),
      refused: { code: 'root-not-owner', link: 0, claim: 'iss' },
    },
    {
      name: 'a holder of * by a chain',
      what: 'toBob',
      as: (owner) =>
        invoke(dave, [can(owner, '', '*')], { proofs: [delegate(owner, dave, [can(owner, '', '*')])] }),
      refused: { code: 'not-covered' },
    },
    {
      name: 'an issuer whose invocation has expired',
      what: 'toCarol',
      as: () => invoke(bob, [], { expiration: testNow }),
      refused: { code: 'expired' },
    },
    {
      name: 'an issuer whose invocation is for another hub',
      what: 'toCarol',
      as: () => invoke(bob, [], { audience: 'did:web:other.example' }),
      refused: { code: 'wrong-audience' },
    },
  ]
  for (const { name, what, as, refused } of rows) {
    for (const by of ['cid', 'ucan'] as const) {
      it(`${refused === undefined ? '' : 'not '}${name}, by ${by}`, async () => {
        const { world } = suite
        const all = family()
        for (const ucan of [all.toBob, all.toCarol, all.davesOwn]) {
          await world.deposit(all.owner, { ucan }, { as: asOwner(all.owner) })
        }
        const before = await world.snapshot(all.owner)
        const body = by === 'cid' ? { cid: cidOf(all[what]) } : { ucan: all[what] }
        const answer = await world.revoke(all.owner, body, { as: as(all.owner) })
        if (refused === undefined) {
          expectStatus(answer, 202)
          expect(await writers(world, all)).to.equal('bo')
        } else {
          expectRefused(answer, refused)
          expect(await world.snapshot(all.owner)).to.deep.equal(before)
          expect(await writers(world, all)).to.equal('bcdo')
        }
      })
    }
  }

  it("not a v1 token with scopes, the owner's own too", async () => {
    const { owner, toBob } = family()
    for (const scope of ['putFilePrefix', 'deleteFilePrefix']) {
      const as = v1(owner, { scopes: [{ scope, domain: '' }] })
      expectStatus(await suite.world.revoke(owner, { ucan: toBob }, { as }), 401, 'ValidationError')
    }
    expect(await suite.world.snapshot(owner)).to.deep.equal([])
  })

  it('not an issuer who puts herself into a chain of her own making', async () => {
    const { world } = suite
    const all = family()
    const wedge = delegate(mallory, dave, all.held, { proofs: [all.toBob] })
    const own = delegate(mallory, dave, all.held)
    const around = delegate(mallory, dave, all.held, { payload: { prf: [own] } })
    const rows: Array<[string, Refusal['code']]> = [
      [wedge, 'principal-mismatch'],
      [own, 'root-not-owner'],
      [around, 'principal-mismatch'],
    ]
    for (const [ucan, code] of rows) {
      expectRefused(await world.revoke(all.owner, { ucan }, { as: v1(mallory) }), { code })
    }
    expect(await world.snapshot(all.owner)).to.deep.equal([])
    expect(await writers(world, all)).to.equal('bcdo')
  })

  it('an issuer what it gave without its proofs: not before they are there', async () => {
    const { world } = suite
    const { owner, toBob, toCarol } = family(newOwner(), '0.10.0')
    const ask = { as: v1(bob) }
    expectRefused(await world.revoke(owner, { ucan: toCarol }, ask), { code: 'missing-proof', claim: 'prf' })
    expect(await world.snapshot(owner)).to.deep.equal([])
    expectStatus(await world.revoke(owner, { ucan: toCarol, proofs: [toBob] }, ask), 202)
  })

  it('a writer its own invocation that rests on a grant, and nobody such a one without a grant', async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, 'photos/', 'gaia/store')]
    const revoke = (invocation: string, as: string) =>
      world.revoke(owner, { ucan: invocation.replace('ucan:', '') }, { as })
    for (const [who, as] of [
      [bob, v1(bob)],
      [carol, invoke(carol)],
    ] as const) {
      await world.deposit(owner, { ucan: delegate(owner, who, held) }, { as: asOwner(owner) })
      const [lost, kept] = [invoke(who, held, { payload: { nnc: 'lost' } }), invoke(who, held)]
      expectStatus(await world.store(owner, 'photos/a', { as: lost }), 202)
      expectStatus(await revoke(lost, as), 202)
      expectRefused(await world.store(owner, 'photos/a', { as: lost }), { code: 'revoked', link: 0 })
      expectStatus(await world.store(owner, 'photos/a', { as: kept }), 202)
    }
    const before = await world.snapshot(owner)
    expectRefused(await revoke(invoke(carol, held), v1(bob)), { code: 'not-covered' })
    expectRefused(await revoke(invoke(dave, held), invoke(dave)), { code: 'root-not-owner' })
    expect(await world.snapshot(owner)).to.deep.equal(before)
  })

  it('at another address changes nothing here', async () => {
    const { world } = suite
    const all = family()
    const elsewhere = newOwner()
    expectStatus(await world.revoke(elsewhere, { ucan: all.toBob }, { as: asOwner(elsewhere) }), 202)
    expect(await writers(world, all)).to.equal('bcdo')
  })

  for (const [name, body, status, error] of [
    ['an unknown cid', { cid: cidOf('nothing') }, 404, 'DoesNotExist'],
    ['a cid of another form', { cid: '../../x' }, 404, 'DoesNotExist'],
    ['neither', {}, 400, 'InvalidInputError'],
    ['an empty cid', { cid: '' }, 400, 'InvalidInputError'],
    ['a cid that is no text', { cid: 5 }, 400, 'InvalidInputError'],
    ['a ucan that is no text', { ucan: {} }, 400, 'InvalidInputError'],
    ['a list', [], 400, 'InvalidInputError'],
  ] as const) {
    it(`is ${status} for ${name}`, async () => {
      const owner = newOwner()
      expectStatus(await suite.world.revoke(owner, body, { as: asOwner(owner) }), status, error)
      expect(await suite.world.snapshot(owner)).to.deep.equal([])
    })
  }

  for (const [name, ucan, code] of [
    ['no JWT', 'x', 'malformed'],
    ['a forged one', delegate(bob, carol, [], { signer: mallory }), 'bad-signature'],
  ] as const) {
    it(`is 401 for ${name}`, async () => {
      const owner = newOwner()
      expectRefused(await suite.world.revoke(owner, { ucan }, { as: asOwner(owner) }), { code, link: 0 })
    })
  }
})

describe('another signature over what was revoked', () => {
  for (const kind of ['secp256k1', 'P-256'] as const) {
    const owner = persona(`twins ${kind}`, kind)
    it(`does not escape: ${kind}, both forms of s`, async () => {
      const { world } = suite
      const held = [can(owner, 'photos/', 'gaia/store')]
      const ucan = delegate(owner, bob, held)
      const twin = otherS(ucan, kind)
      const again = delegate(owner, bob, held)
      expect(cidOf(twin)).not.to.equal(cidOf(ucan))
      const uses = [ucan, twin, again].map((proof) => invoke(bob, held, { proofs: [proof] }))
      for (const as of uses) expectStatus(await world.store(owner, 'photos/a', { as }), 202)
      expectStatus(await world.deposit(owner, { ucan: twin }, { as: asOwner(owner) }), 201)
      expectStatus(await world.revoke(owner, { ucan }, { as: asOwner(owner) }), 202)
      for (const as of uses) {
        expectRefused(await world.store(owner, 'photos/a', { as }), { code: 'revoked', link: 1 })
      }
      expectRefused(await world.store(owner, 'photos/a', { as: v1(bob) }), { code: 'revoked' })
      expectRefused(await world.deposit(owner, { ucan: twin }, { as: asOwner(owner) }), {
        code: 'revoked',
        link: 0,
      })
    })
  }
})

/** The same r with the order less s: verifies wherever the first one does. */
function otherS(jwt: string, kind: 'secp256k1' | 'P-256'): string {
  const { Signature, Point } = kind === 'secp256k1' ? secp256k1 : p256
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const { r, s } = Signature.fromBytes(Buffer.from(signature, 'base64url'))
  return `${header}.${payload}.${base64url(new Signature(r, Point.Fn.ORDER - s).toBytes())}`
}

describe('revoke-all', () => {
  const rows: Array<{ name: string; changes: TokenChanges; cut: boolean }> = [
    { name: 'iat before', changes: { issuedAt: testNow - 11 }, cut: true },
    { name: 'iat at it', changes: { issuedAt: testNow - 10 }, cut: false },
    { name: 'iat after', changes: { issuedAt: testNow }, cut: false },
    { name: 'iat within the leeway of clocks', changes: { issuedAt: testNow + 60 }, cut: false },
    { name: 'iat in the future', changes: { issuedAt: testNow + 61 }, cut: true },
    { name: 'an old iat and a young nbf', changes: { issuedAt: 1, notBefore: testNow }, cut: true },
    { name: 'a young iat and old facts', changes: { issuedAt: testNow, facts: [{ iat: 1 }] }, cut: false },
    { name: 'facts before', changes: { facts: [{ iat: testNow }, { iat: testNow - 11 }] }, cut: true },
    { name: 'facts after', changes: { facts: [{ iat: testNow }] }, cut: false },
    { name: 'nbf before', changes: { notBefore: testNow - 11 }, cut: true },
    { name: 'nbf after', changes: { notBefore: testNow }, cut: false },
    { name: 'no time at all', changes: {}, cut: true },
    { name: '0.10 facts before', changes: { version: '0.10.0', facts: { a: { iat: 1 } } }, cut: true },
    { name: '0.10 facts after', changes: { version: '0.10.0', facts: { iat: testNow } }, cut: false },
  ]
  for (const { name, changes, cut } of rows) {
    it(`${cut ? 'cuts' : 'spares'} a root with ${name}`, async () => {
      const { world } = suite
      const owner = newOwner()
      const held = [can(owner, 'photos/', 'gaia/store')]
      const root = delegate(owner, bob, held, changes)
      const version = changes.version ?? '0.8.1'
      const middle = delegate(bob, carol, held, { version, proofs: [root], issuedAt: testNow })
      const asks = [
        { as: invoke(bob, held, { version, proofs: [root], issuedAt: testNow }), ucans: [root] },
        { as: invoke(carol, held, { version, proofs: [middle], issuedAt: testNow }), ucans: [root, middle] },
        { as: v1(bob) },
      ]
      await world.deposit(owner, { ucan: root }, { as: asOwner(owner) })
      for (const ask of asks) expectStatus(await world.store(owner, 'photos/a', ask), 202)
      expectStatus(await world.revokeAll(owner, testNow - 10, { as: asOwner(owner) }), 202)
      for (const ask of asks) {
        const answer = await world.store(owner, 'photos/a', ask)
        if (cut) expectRefused(answer, { code: 'revoked', claim: 'iat' })
        else expectStatus(answer, 202)
      }
    })
  }

  it("asks for no issue time of the writer's own tokens", async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, '', 'gaia/store')]
    await world.revokeAll(owner, 100, { as: asOwner(owner) })
    const as = invoke(bob, held, { proofs: [delegate(owner, bob, held, { issuedAt: 100 })], issuedAt: 1 })
    expectStatus(await world.store(owner, 'a', { as }), 202)
  })

  it("cuts off the owner's own invocations, which need an issue time then", async () => {
    const { world } = suite
    const owner = newOwner()
    const all = [can(owner, '', '*')]
    expectStatus(await world.revokeAll(owner, 100, { as: invoke(owner, all) }), 202)
    for (const changes of [{}, { issuedAt: 99 }]) {
      const as = invoke(owner, all, changes)
      expectRefused(await world.store(owner, 'a', { as }), { code: 'revoked', link: 0, claim: 'iat' })
      expectRefused(await world.revokeAll(owner, 101, { as }), { code: 'revoked', link: 0 })
      expectRefused(await world.revoke(owner, { cid: cidOf('x') }, { as }), { code: 'revoked', link: 0 })
      expectRefused(await world.listGrants(owner, { as }), { code: 'revoked', link: 0 })
    }
    expectStatus(await world.store(owner, 'a', { as: invoke(owner, all, { issuedAt: 100 }) }), 202)
  })

  it('never falls: a lower one lets nothing back in', async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, '', 'gaia/store')]
    const as = invoke(bob, held, { proofs: [delegate(owner, bob, held, { issuedAt: 50 })] })
    const young = { as: v1(owner, { iat: testNow }) }
    await world.revokeAll(owner, 100, young)
    expectStatus(await world.revokeAll(owner, 1, young), 202)
    expectRefused(await world.store(owner, 'a', { as }), { code: 'revoked', link: 1 })
  })

  for (const [name, as, refused] of [
    ['a stranger with v1', () => v1(mallory), { code: 'no-grant' }],
    ['a stranger with an invocation', () => invoke(mallory), { code: 'not-covered' }],
    [
      'a stranger who claims it',
      (owner: Persona) => invoke(mallory, [can(owner, '', '*')]),
      { code: 'root-not-owner', link: 0 },
    ],
    [
      'the owner with * on a folder',
      (owner: Persona) => invoke(owner, [can(owner, 'x/', '*')]),
      { code: 'not-covered', link: 0 },
    ],
    [
      'the owner with a caveat',
      (owner: Persona) => invoke(owner, [can(owner, '', '*', { maxSize: 1 })]),
      { code: 'not-covered' },
    ],
  ] as Array<[string, (owner: Persona) => string, Refusal]>) {
    it(`is refused to ${name}`, async () => {
      const owner = newOwner()
      expectRefused(await suite.world.revokeAll(owner, 1, { as: as(owner) }), refused)
      expect(await suite.world.snapshot(owner)).to.deep.equal([])
    })
  }
})

describe('a revoked invocation without proofs', () => {
  it('gives nothing, though the grant that it was used with stands', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      const held = [can(owner, 'photos/', 'gaia/store')]
      await world.deposit(owner, { ucan: delegate(owner, bob, held) }, { as: asOwner(owner) })
      const ucan = mint({ issuer: bob, audience: hubDid, capabilities: held })
      expectStatus(await world.store(owner, 'photos/a', { as: ucan }), 202)
      expectStatus(await world.revoke(owner, { ucan }, { as: asOwner(owner) }), 202)
      expectRefused(await world.store(owner, 'photos/a', { as: ucan }), { code: 'revoked', link: 0 })
      expectStatus(await world.store(owner, 'photos/a', { as: v1(bob) }), 202)
    })
  })
})
