import { expect } from 'chai'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import { signIn } from '../e2e/session.ts'
import { startReader } from '../hub/harness.ts'
import { legacyToken } from '../hub/tokens.ts'
import { can, testNow } from '../ucan/mint.ts'
import { didPkhOf, type Persona } from '../ucan/personas.ts'
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

/** Deposits a grant of an owner, and gives its CID. */
async function granted(
  world: World,
  owner: Persona,
  audience: Persona | string,
  paths: string | readonly ReturnType<typeof can>[],
  changes: TokenChanges = {},
): Promise<string> {
  const capabilities = typeof paths === 'string' ? [can(owner, paths, 'gaia/store')] : paths
  const ucan = delegate(owner, audience, capabilities, changes)
  const answer = await world.deposit(owner, { ucan }, { as: asOwner(owner) })
  expectStatus(answer, 201)
  return String(answer.json?.cid)
}

describe('a writer through a deposited grant', () => {
  it('uses @stacks/storage as it is, its hubConfig.address set to the owner', async () => {
    const { world } = suite
    const reader = await startReader(world.hub.driver)
    try {
      await withWorld({ driver: world.hub.driver, readUrlPrefix: `${reader.url}/` }, async (open) => {
        const owner = newOwner()
        const held = ['gaia/store', 'gaia/delete', 'gaia/list'].map((ability) =>
          can(owner, 'photos/', ability),
        )
        await granted(open, owner, bob, held)
        const storage = signIn(personOf(bob), open.hub.url)
        const config = await storage.setLocalGaiaHubConnection()
        config.address = owner.address

        const url = await storage.putFile('photos/hello world.txt', 'from Bob', { encrypt: false })
        expect(url).to.equal(`${reader.url}/${owner.address}/photos/hello%20world.txt`)
        expect(await (await fetch(url)).text()).to.equal('from Bob')
        await storage.putFile('photos/hello world.txt', 'again', { encrypt: false })
        const names: string[] = []
        await storage.listFiles((name) => names.push(name) > 0)
        expect(names).to.deep.equal(['photos/hello world.txt'])
        await storage.deleteFile('photos/hello world.txt')
        expect(await open.content(owner, 'photos/hello world.txt')).to.equal(null)

        const refused = await storage.putFile('notes.txt', 'x', { encrypt: false }).then(
          () => 'stored',
          () => 'refused',
        )
        expect(refused).to.equal('refused')
        expect(await open.snapshot(owner)).to.have.length(1)
      })
    } finally {
      await reader.close()
    }
  })

  const audiences: Array<[string, string]> = [
    ['did:key', bob.did],
    ['did:pkh', didPkhOf(bob)],
  ]
  for (const [kind, audience] of audiences) {
    it(`is found by its ${kind}, with v1 and with an invocation that names no proof`, async () => {
      const { world } = suite
      const owner = newOwner()
      await granted(world, owner, audience, 'photos/')
      const asked = [can(owner, 'photos/', 'gaia/store')]
      for (const as of [v1(bob), invoke(bob, asked), invoke(bob, asked, { version: '0.10.0' })]) {
        expectStatus(await world.store(owner, 'photos/a', { as }), 202)
      }
      for (const as of [v1(mallory), invoke(mallory, asked)]) {
        expectRefused(await world.store(owner, 'photos/a', { as }), { code: 'no-grant' })
      }
    })
  }

  for (const who of [carol, dave]) {
    it(`may have a ${who.kind} key, with an invocation`, async () => {
      const owner = newOwner()
      await granted(suite.world, owner, who, 'photos/')
      const as = invoke(who, [can(owner, '', '*')])
      expectStatus(await suite.world.store(owner, 'photos/a', { as }), 202)
    })
  }

  it('has what all grants to it give together, each with its own caveats', async () => {
    const { world } = suite
    const owner = newOwner()
    await granted(world, owner, bob, [can(owner, 'photos/', 'gaia/store', { maxSize: 1 })])
    await granted(world, owner, bob, 'notes/')
    expectStatus(await world.store(owner, 'photos/a', { as: v1(bob), body: 'x' }), 202)
    expectRefused(await world.store(owner, 'photos/a', { as: v1(bob), body: 'xx' }), { code: 'not-covered' })
    expectStatus(await world.store(owner, 'notes/a', { as: v1(bob), body: 'xx' }), 202)
  })

  it('asks for no more than its own invocation says: both must cover', async () => {
    const { world } = suite
    const owner = newOwner()
    await granted(world, owner, bob, [can(owner, 'photos/', 'gaia/*', { maxSize: 100 })])
    await world.store(owner, 'photos/a/1', { as: asOwner(owner) })
    const asked = [can(owner, 'photos/a/', 'gaia/store', { maxSize: 10, contentType: ['text/plain'] })]
    const as = invoke(bob, asked)
    const store = (path: string, bytes: number, type = 'text/plain') =>
      world.store(owner, path, { as, body: 'x'.repeat(bytes), headers: { 'Content-Type': type } })
    expectStatus(await store('photos/a/1', 10), 202)
    expectRefused(await store('photos/a/1', 11), { code: 'not-covered' })
    expectRefused(await store('photos/a/1', 1, 'text/html'), { code: 'not-covered' })
    expectRefused(await store('photos/b', 1), { code: 'not-covered' })
    expectRefused(await world.delete(owner, 'photos/a/1', { as }), { code: 'not-covered' })
    expectRefused(await world.list(owner, { as }), { code: 'not-covered' })
    const wider = invoke(bob, [can(owner, '', '*')])
    expectRefused(await world.store(owner, 'notes', { as: wider }), { code: 'not-covered' })
    expectRefused(await world.store(owner, 'photos/a', { as: wider, body: 'x'.repeat(101) }), {
      code: 'not-covered',
    })
  })

  it('asks for no more than the scopes of its own v1 token say', async () => {
    const { world } = suite
    const owner = newOwner()
    await granted(world, owner, bob, [can(owner, 'photos/', 'gaia/*')])
    await world.store(owner, 'photos/a', { as: asOwner(owner) })
    const as = v1(bob, { scopes: [{ scope: 'putFilePrefix', domain: 'photos/a' }] })
    expectStatus(await world.store(owner, 'photos/ab', { as }), 202)
    expectStatus(await world.store(owner, 'photos/b', { as }), 401, 'ValidationError')
    expectStatus(await world.delete(owner, 'photos/a', { as }), 401, 'ValidationError')
    const wide = v1(bob, { scopes: [{ scope: 'putFilePrefix', domain: '' }] })
    expectRefused(await world.store(owner, 'notes', { as: wide }), { code: 'not-covered' })
    expectStatus(await world.list(owner, { as }), 202)
  })

  it('lists what both its grant and its invocation cover', async () => {
    const { world } = suite
    const owner = newOwner()
    for (const name of ['photos/a/1', 'photos/b', 'z']) await world.store(owner, name, { as: asOwner(owner) })
    await granted(world, owner, bob, [can(owner, 'photos/', 'gaia/list')])
    expect((await world.list(owner, { as: v1(bob) })).json?.entries).to.deep.equal(['photos/a/1', 'photos/b'])
    const as = invoke(bob, [can(owner, 'photos/a/', 'gaia/list'), can(owner, 'z', 'gaia/list')])
    expect((await world.list(owner, { as })).json?.entries).to.deep.equal(['photos/a/1'])
  })

  it('is told why nothing serves: no grant, none that covers, or one that is over', async () => {
    const { world } = suite
    const owner = newOwner()
    const ask = { as: v1(bob) }
    expectRefused(await world.store(owner, 'photos/a', ask), { code: 'no-grant' })
    const cid = await granted(world, owner, bob, 'photos/')
    expectRefused(await world.store(owner, 'notes', ask), { code: 'not-covered' })
    expectRefused(await world.delete(owner, 'photos/a', ask), { code: 'not-covered' })
    await world.revoke(owner, { cid }, { as: asOwner(owner) })
    expectRefused(await world.store(owner, 'photos/a', ask), { code: 'revoked' })
    // What was revoked would not have served here.
    expectRefused(await world.store(owner, 'notes', ask), { code: 'no-grant' })
    await granted(world, owner, bob, 'notes')
    expectStatus(await world.store(owner, 'notes', ask), 202)
    expectRefused(await world.store(owner, 'photos/a', ask), { code: 'revoked' })
    expectRefused(await world.store(owner, 'other', ask), { code: 'not-covered' })
  })

  it('has nothing of a grant before its nbf, nor from the second of its exp', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      await granted(world, owner, bob, 'photos/', { expiration: testNow + 100 })
      const ask = { as: v1(bob) }
      expectStatus(await world.store(owner, 'photos/a', ask), 202)
      world.hub.clock.advanceSeconds(99)
      expectStatus(await world.store(owner, 'photos/a', ask), 202)
      world.hub.clock.advanceSeconds(1)
      expectRefused(await world.store(owner, 'photos/a', ask), { code: 'no-grant' })
    })
  })

  it('may be given a grant without end, in 0.10', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      await granted(world, owner, bob, 'photos/', { version: '0.10.0', expiration: null })
      world.hub.clock.advanceSeconds(10 * 365 * 86_400)
      expectStatus(await world.store(owner, 'photos/a', { as: v1(bob) }), 202)
    })
  })

  it('cannot use it with a legacy token', async () => {
    const owner = newOwner()
    await granted(suite.world, owner, bob, 'photos/')
    const answer = await suite.world.store(owner, 'photos/a', { as: legacyToken(personOf(bob)) })
    expectStatus(answer, 401, 'ValidationError')
    expect(await suite.world.content(owner, 'photos/a')).to.equal(null)
  })

  it('still needs a v1 token that is good: expired, for another hub, forged', async () => {
    const owner = newOwner()
    await granted(suite.world, owner, bob, 'photos/')
    const good = v1(bob)
    for (const as of [
      v1(bob, { exp: testNow }),
      v1(bob, { gaiaChallenge: 'another' }),
      `${good.slice(0, -6)}AAAAAA`,
      v1(bob, { iss: personOf(mallory).publicKeyHex }),
    ]) {
      expectStatus(await suite.world.store(owner, 'photos/a', { as }), 401, 'ValidationError')
    }
    expectStatus(await suite.world.store(owner, 'photos/a', { as: good }), 202)
  })

  it('is not cut off by its own revoke-all, which speaks of its own address', async () => {
    const { world } = suite
    const owner = newOwner()
    const eve = newOwner()
    await granted(world, owner, eve, 'photos/')
    expectStatus(await world.revokeAll(eve, testNow, { as: asOwner(eve) }), 202)
    expectStatus(await world.store(owner, 'photos/a', { as: v1(eve) }), 202)
  })

  it('has what Bob handed on to it, deposited with its proof', async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, 'photos/', '*')]
    const root = delegate(owner, bob, held)
    const ucan = delegate(bob, mallory, [can(owner, 'photos/2026/', 'gaia/store')], { proofs: [root] })
    expectStatus(await world.deposit(owner, { ucan }, { as: asOwner(owner) }), 201)
    expectStatus(await world.store(owner, 'photos/2026/a', { as: v1(mallory) }), 202)
    expectRefused(await world.store(owner, 'photos/a', { as: v1(mallory) }), { code: 'not-covered' })
    // The root itself was not deposited as a grant to Bob.
    expectRefused(await world.store(owner, 'photos/a', { as: v1(bob) }), { code: 'no-grant' })
  })
})

describe('depositing a grant', () => {
  it('is 201, then 200 and changes nothing; the answer tells what it gives', async () => {
    const { world } = suite
    const owner = newOwner()
    const capabilities = [
      can(owner, 'photos/', 'gaia/store', { maxSize: 5, contentType: ['image/*'], createOnly: true }),
      can(owner, 'a', 'gaia/delete'),
    ]
    const ucan = delegate(owner, bob, capabilities, { notBefore: 5 })
    const expected = { cid: cidOf(ucan), audience: bob.did, capabilities, expiration: testNow + 3600 }
    const first = await world.deposit(owner, { ucan }, { as: asOwner(owner) })
    expectStatus(first, 201)
    expect(first.json).to.deep.equal(expected)
    const before = await world.snapshot(owner)
    expect(before).to.have.length(1)
    expect(before[0]).to.match(new RegExp(`^${owner.address}-auth/grants/${cidOf(ucan)}\\.json `))
    const second = await world.deposit(owner, { ucan }, { as: asOwner(owner) })
    expectStatus(second, 200)
    expect(second.json).to.deep.equal(expected)
    expect(await world.snapshot(owner)).to.deep.equal(before)
  })

  it('keeps only the proofs that it needs', async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, 'photos/', 'gaia/store')]
    const root = delegate(owner, bob, held, { version: '0.10.0' })
    const ucan = delegate(bob, carol, held, { version: '0.10.0', proofs: [root] })
    const stray = delegate(mallory, bob, held, { version: '0.10.0' })
    for (const proofs of [[root, stray], { [cidOf(root)]: root }]) {
      const answer = await world.deposit(owner, { ucan, proofs }, { as: asOwner(owner) })
      expect(answer.status).to.be.oneOf([200, 201])
    }
    const found = await world.hub.driver.read(`${owner.address}-auth/grants/${cidOf(ucan)}.json` as never)
    const stored = JSON.parse(Buffer.concat(await (found?.body.toArray() ?? [])).toString()) as Record<
      string,
      unknown
    >
    expect(stored).to.deep.equal({
      version: 1,
      cid: cidOf(ucan),
      ucan,
      proofs: [root],
      audience: carol.did,
      depositedAt: testNow,
    })
  })

  const depositors: Array<{ name: string; as: (owner: Persona) => string; refused?: Refusal }> = [
    { name: 'the owner with v1', as: (owner) => v1(owner) },
    { name: 'the owner with *', as: (owner) => invoke(owner, [can(owner, '', '*')]) },
    {
      name: 'the owner with gaia/grant',
      as: (owner) => invoke(owner, [can(owner, 'photos/', 'gaia/grant')]),
    },
    {
      name: 'the owner with gaia/* alone',
      as: (owner) => invoke(owner, [can(owner, '', 'gaia/*')]),
      refused: { code: 'not-covered', link: 0 },
    },
    {
      name: 'the owner with gaia/grant elsewhere',
      as: (owner) => invoke(owner, [can(owner, 'photos/x/', 'gaia/grant')]),
      refused: { code: 'not-covered', link: 0 },
    },
    { name: 'Bob with gaia/grant', as: (owner) => holding(owner, [can(owner, 'photos/', 'gaia/grant')]) },
    { name: 'Bob with gaia/grant above', as: (owner) => holding(owner, [can(owner, '', 'gaia/grant')]) },
    { name: 'Bob with * there', as: (owner) => holding(owner, [can(owner, 'photos/', '*')]) },
    {
      name: 'Bob with gaia/grant below',
      as: (owner) => holding(owner, [can(owner, 'photos/2026/', 'gaia/grant')]),
      refused: { code: 'not-covered' },
    },
    {
      name: 'Bob with gaia/*',
      as: (owner) => holding(owner, [can(owner, '', 'gaia/*')]),
      refused: { code: 'not-covered' },
    },
    { name: 'a stranger with v1', as: () => v1(mallory), refused: { code: 'no-grant' } },
    { name: 'a stranger with an invocation', as: () => invoke(mallory), refused: { code: 'not-covered' } },
    {
      name: 'a stranger who claims it',
      as: (owner) => invoke(mallory, [can(owner, '', '*')]),
      refused: { code: 'root-not-owner', link: 0, claim: 'iss' },
    },
    { name: 'the writer itself', as: () => invoke(carol), refused: { code: 'not-covered' } },
  ]
  for (const { name, as, refused } of depositors) {
    it(`is ${refused === undefined ? 'open to' : `refused to ${name}:`} ${refused?.code ?? name}`, async () => {
      const { world } = suite
      const owner = newOwner()
      const ucan = delegate(owner, carol, [can(owner, 'photos/', 'gaia/store')])
      const answer = await world.deposit(owner, { ucan }, { as: as(owner) })
      if (refused === undefined) {
        expectStatus(answer, 201)
        const use = invoke(carol, [can(owner, 'photos/', 'gaia/store')])
        expectStatus(await world.store(owner, 'photos/a', { as: use }), 202)
      } else {
        expectRefused(answer, refused)
        expect(await world.snapshot(owner)).to.deep.equal([])
      }
    })
  }

  it("is refused to a v1 token with scopes, the owner's own too", async () => {
    const { world } = suite
    const owner = newOwner()
    await granted(world, owner, bob, [can(owner, '', '*')])
    const before = await world.snapshot(owner)
    const ucan = delegate(owner, carol, [can(owner, 'photos/', 'gaia/store')])
    for (const who of [owner, bob]) {
      const as = v1(who, { scopes: [{ scope: 'putFilePrefix', domain: '' }] })
      expectStatus(await world.deposit(owner, { ucan }, { as }), 401, 'ValidationError')
      expectStatus(await world.revokeAll(owner, 1, { as }), 401, 'ValidationError')
    }
    expect(await world.snapshot(owner)).to.deep.equal(before)
  })

  it('may be done through a deposited grant of gaia/grant, within its paths', async () => {
    const { world } = suite
    const owner = newOwner()
    await granted(world, owner, bob, [can(owner, 'photos/', '*')])
    const root = delegate(owner, bob, [can(owner, 'photos/', '*')])
    const within = delegate(bob, carol, [can(owner, 'photos/c/', 'gaia/store')], { proofs: [root] })
    expectStatus(await world.deposit(owner, { ucan: within }, { as: v1(bob) }), 201)
    const beyond = delegate(owner, carol, [
      can(owner, 'photos/', 'gaia/store'),
      can(owner, 'x', 'gaia/store'),
    ])
    expectRefused(await world.deposit(owner, { ucan: beyond }, { as: v1(bob) }), { code: 'not-covered' })
    const narrow = invoke(bob, [can(owner, 'photos/c/', 'gaia/grant')])
    const ucan = delegate(owner, carol, [can(owner, 'photos/d/', 'gaia/store')])
    expectRefused(await world.deposit(owner, { ucan }, { as: narrow }), { code: 'not-covered' })
  })

  const hour = 3600
  const refusals: Array<{ name: string; ucan: (owner: Persona) => string; refused: Refusal }> = [
    {
      name: 'a chain that escalates its path',
      ucan: (owner) => handedOn(owner, [can(owner, 'photos/', 'gaia/store')], [can(owner, '', 'gaia/store')]),
      refused: { code: 'not-covered', link: 0, claim: 'with' },
    },
    {
      name: 'a chain that escalates its ability',
      ucan: (owner) =>
        handedOn(owner, [can(owner, 'photos/', 'gaia/store')], [can(owner, 'photos/', 'gaia/delete')]),
      refused: { code: 'not-covered', link: 0, claim: 'can' },
    },
    {
      name: 'a chain that drops a caveat',
      ucan: (owner) =>
        handedOn(
          owner,
          [can(owner, 'photos/', 'gaia/store', { maxSize: 1 })],
          [can(owner, 'photos/', 'gaia/store')],
        ),
      refused: { code: 'not-covered', link: 0, claim: 'nb' },
    },
    {
      name: 'a chain of which one capability of two escalates',
      ucan: (owner) =>
        handedOn(
          owner,
          [can(owner, 'photos/', 'gaia/store')],
          [can(owner, 'photos/', 'gaia/store'), can(owner, 'x', 'gaia/store')],
        ),
      refused: { code: 'not-covered', link: 0 },
    },
    {
      name: 'gaia/archive whole from gaia/store',
      ucan: (owner) => handedOn(owner, [can(owner, 'p/', 'gaia/list')], [can(owner, 'p/', 'gaia/archive')]),
      refused: { code: 'not-covered', link: 0, claim: 'can' },
    },
    {
      name: 'a stranger as root',
      ucan: (owner) => delegate(mallory, bob, [can(owner, 'photos/', 'gaia/store')]),
      refused: { code: 'root-not-owner', link: 0, claim: 'iss' },
    },
    {
      name: 'a stranger as root of a chain',
      ucan: (owner) =>
        delegate(bob, carol, [can(owner, 'p/', 'gaia/store')], {
          proofs: [delegate(mallory, bob, [can(owner, 'p/', 'gaia/store')])],
        }),
      refused: { code: 'root-not-owner', link: 1 },
    },
    {
      name: 'nothing of this address',
      ucan: () => delegate(mallory, bob, [can(mallory, '', '*')]),
      refused: { code: 'root-not-owner' },
    },
    { name: 'nothing at all', ucan: (owner) => delegate(owner, bob, []), refused: { code: 'not-covered' } },
    {
      name: 'one that has expired',
      ucan: (owner) => delegate(owner, bob, [can(owner, '', '*')], { expiration: testNow }),
      refused: { code: 'expired', link: 0, claim: 'exp' },
    },
    {
      name: 'one that begins later',
      ucan: (owner) => delegate(owner, bob, [can(owner, '', '*')], { notBefore: testNow + 61 }),
      refused: { code: 'not-yet-valid', link: 0, claim: 'nbf' },
    },
    {
      name: 'one that outlives its proof',
      ucan: (owner) =>
        delegate(bob, carol, [can(owner, '', '*')], {
          proofs: [delegate(owner, bob, [can(owner, '', '*')], { expiration: testNow + hour - 1 })],
        }),
      refused: { code: 'time-bounds', link: 0, claim: 'exp' },
    },
    {
      name: 'one signed by somebody else',
      ucan: (owner) => delegate(owner, bob, [can(owner, '', '*')], { signer: mallory }),
      refused: { code: 'bad-signature', link: 0 },
    },
    {
      name: 'one that was made out to another',
      ucan: (owner) =>
        delegate(mallory, carol, [can(owner, '', '*')], {
          proofs: [delegate(owner, bob, [can(owner, '', '*')])],
        }),
      refused: { code: 'principal-mismatch', link: 0, claim: 'iss' },
    },
    {
      name: 'one whose proof is not there',
      ucan: (owner) =>
        delegate(bob, carol, [can(owner, '', '*')], {
          version: '0.10.0',
          proofs: [delegate(owner, bob, [can(owner, '', '*')], { version: '0.10.0' })],
        }),
      refused: { code: 'missing-proof', link: 0, claim: 'prf' },
    },
    {
      name: 'one that is too large',
      ucan: (owner) => delegate(owner, bob, [can(owner, '', '*')], { payload: { nnc: 'x'.repeat(16_000) } }),
      refused: { code: 'too-large' },
    },
    { name: 'no JWT', ucan: () => 'hello', refused: { code: 'malformed', link: 0 } },
  ]
  for (const { name, ucan, refused } of refusals) {
    it(`is refused for ${name}: ${refused.code}`, async () => {
      const owner = newOwner()
      const answer = await suite.world.deposit(owner, { ucan: ucan(owner) }, { as: asOwner(owner) })
      expectRefused(answer, refused)
      expect(await suite.world.snapshot(owner)).to.deep.equal([])
    })
  }

  it('is 400 where the audience is a hub, this one or another', async () => {
    const owner = newOwner()
    for (const audience of ['did:web:hub.example', 'did:web:HUB.example', 'did:web:other.example']) {
      const ucan = delegate(owner, audience, [can(owner, '', '*')])
      expectStatus(
        await suite.world.deposit(owner, { ucan }, { as: asOwner(owner) }),
        400,
        'InvalidInputError',
      )
    }
    expect(await suite.world.snapshot(owner)).to.deep.equal([])
  })

  const bodies: Array<[string, string, number, string]> = [
    ['no ucan', '{}', 400, 'InvalidInputError'],
    ['a null ucan', '{"ucan":null}', 400, 'InvalidInputError'],
    ['an empty ucan', '{"ucan":""}', 400, 'InvalidInputError'],
    ['a number', '{"ucan":1}', 400, 'InvalidInputError'],
    ['a list', '{"ucan":["a.b.c"]}', 400, 'InvalidInputError'],
    ['an object', '{"ucan":{"toString":"a.b.c"}}', 400, 'InvalidInputError'],
    ['proofs of numbers', '{"ucan":"a.b.c","proofs":[1]}', 400, 'InvalidInputError'],
    ['a text as proofs', '{"ucan":"a.b.c","proofs":7}', 400, 'InvalidInputError'],
    ['17 proofs', JSON.stringify({ ucan: 'a.b.c', proofs: Array(17).fill('x') }), 401, 'ValidationError'],
    ['a list as body', '[]', 400, 'InvalidInputError'],
    ['no JSON', '{"ucan":', 400, 'InvalidInputError'],
    ['a body of 70 KB', JSON.stringify({ ucan: 'x'.repeat(70_000) }), 413, 'PayloadTooLargeError'],
  ]
  for (const [name, body, status, error] of bodies) {
    it(`is ${status} for ${name}`, async () => {
      const owner = newOwner()
      const ask = { as: asOwner(owner), body }
      expectStatus(await suite.world.send('POST', `/grant/${owner.address}`, ask), status, error)
      expect(await suite.world.snapshot(owner)).to.deep.equal([])
    })
  }

  it('does not bring back what was revoked, deposited before or not', async () => {
    const { world } = suite
    const owner = newOwner()
    const ucan = delegate(owner, bob, [can(owner, '', 'gaia/store')])
    await world.deposit(owner, { ucan }, { as: asOwner(owner) })
    await world.revoke(owner, { ucan }, { as: asOwner(owner) })
    const before = await world.snapshot(owner)
    expectRefused(await world.deposit(owner, { ucan }, { as: asOwner(owner) }), { code: 'revoked', link: 0 })
    expect(await world.snapshot(owner)).to.deep.equal(before)
    expectRefused(await world.store(owner, 'a', { as: v1(bob) }), { code: 'revoked' })

    const never = delegate(owner, carol, [can(owner, '', 'gaia/store')])
    await world.revoke(owner, { ucan: never }, { as: asOwner(owner) })
    expectRefused(await world.deposit(owner, { ucan: never }, { as: asOwner(owner) }), {
      code: 'revoked',
      link: 0,
    })
  })

  it('is refused for one that is cut off by the oldest valid timestamp', async () => {
    const { world } = suite
    const owner = newOwner()
    await world.revokeAll(owner, 1000, { as: asOwner(owner) })
    const as = v1(owner, { iat: testNow })
    const held = [can(owner, '', 'gaia/store')]
    const refused: Refusal = { code: 'revoked', link: 0, claim: 'iat' }
    for (const changes of [{}, { issuedAt: 999 }, { issuedAt: testNow + 61 }]) {
      expectRefused(
        await world.deposit(owner, { ucan: delegate(owner, bob, held, changes) }, { as }),
        refused,
      )
    }
    const ucan = delegate(owner, bob, held, { issuedAt: 1000 })
    expectStatus(await world.deposit(owner, { ucan }, { as }), 201)
  })
})

/** An invocation of Bob's, who holds these capabilities. */
function holding(owner: Persona, capabilities: readonly ReturnType<typeof can>[]): string {
  return invoke(bob, capabilities, { proofs: [delegate(owner, bob, capabilities)] })
}

/** What Bob makes for Carol of what he was given. */
function handedOn(
  owner: Persona,
  given: readonly ReturnType<typeof can>[],
  handed: readonly ReturnType<typeof can>[],
): string {
  return delegate(bob, carol, handed, { proofs: [delegate(owner, bob, given)] })
}
