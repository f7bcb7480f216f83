import { Readable } from 'node:stream'
import { expect } from 'chai'
import type { Driver } from '../../drivers/driver.ts'
import { authKey, type Key, parseAddress } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import { can, hubDid, mint, testNow } from '../ucan/mint.ts'
import { didPkhOf, type Persona } from '../ucan/personas.ts'
import { asOwner, bob, carol, dave, delegate, invoke, mallory, newOwner, v1 } from './people.ts'
import { type Ask, expectRefused, expectStatus, suiteWorld, type World, withWorld } from './world.ts'

const suite = suiteWorld()

interface Entry {
  cid: string
  audience: string
  issuer: string
  capabilities: unknown[]
  expiration: number | null
  notBefore: number | null
  revoked: boolean
}

async function entriesFor(world: World, owner: Persona, ask: Ask, body: unknown = {}): Promise<Entry[]> {
  const answer = await world.listGrants(owner, ask, body)
  expectStatus(answer, 202)
  return answer.json?.entries as Entry[]
}

async function deposit(world: World, owner: Persona, ucan: string): Promise<string> {
  expectStatus(await world.deposit(owner, { ucan }, { as: asOwner(owner) }), 201)
  return cidOf(ucan)
}

describe('listing grants', () => {
  it('tells the owner all that has not expired, revoked ones marked', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      const store = [can(owner, 'photos/', 'gaia/store', { maxSize: 9 })]
      const toBob = delegate(owner, bob, store, { notBefore: 7 })
      const onwards = delegate(bob, carol, store, { proofs: [toBob] })
      const brief = delegate(owner, dave, store, { expiration: testNow + 10 })
      const endless = delegate(owner, dave, [can(owner, '', '*')], { version: '0.10.0', expiration: null })
      for (const ucan of [toBob, onwards, brief, endless]) await deposit(world, owner, ucan)
      const shown = (ucan: string, entry: Omit<Entry, 'cid'>): Entry => ({ cid: cidOf(ucan), ...entry })
      const expected = (revoked: boolean) => [
        shown(toBob, {
          audience: bob.did,
          issuer: owner.did,
          capabilities: store,
          expiration: testNow + 3600,
          notBefore: 7,
          revoked,
        }),
        shown(onwards, {
          audience: carol.did,
          issuer: bob.did,
          capabilities: store,
          expiration: testNow + 3600,
          notBefore: null,
          revoked,
        }),
        shown(endless, {
          audience: dave.did,
          issuer: owner.did,
          capabilities: [can(owner, '', '*')],
          expiration: null,
          notBefore: null,
          revoked: false,
        }),
      ]
      const ask = { as: asOwner(owner) }
      expect(await entriesFor(world, owner, ask)).to.have.length(4)
      world.hub.clock.advanceSeconds(10)
      expect(await entriesFor(world, owner, ask)).to.have.deep.members(expected(false))
      await world.revoke(owner, { cid: cidOf(toBob) }, ask)
      expect(await entriesFor(world, owner, ask)).to.have.deep.members(expected(true))
    })
  })

  it('marks what a revoke-all cut off', async () => {
    const { world } = suite
    const owner = newOwner()
    const old = await deposit(
      world,
      owner,
      delegate(owner, bob, [can(owner, 'a', 'gaia/store')], { issuedAt: 10 }),
    )
    const young = await deposit(
      world,
      owner,
      delegate(owner, bob, [can(owner, 'b', 'gaia/store')], { issuedAt: 30 }),
    )
    await world.revokeAll(owner, 20, { as: asOwner(owner) })
    const entries = await entriesFor(world, owner, { as: v1(owner, { iat: testNow }) })
    expect(new Map(entries.map(({ cid, revoked }) => [cid, revoked]))).to.deep.equal(
      new Map([
        [old, true],
        [young, false],
      ]),
    )
  })

  describe('shows each no more than is its business', () => {
    const owner = newOwner()
    const names = new Map<string, string>()
    before(async () => {
      const { world } = suite
      const add = async (name: string, ucan: string) => names.set(await deposit(world, owner, ucan), name)
      await add('photos to Bob', delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')]))
      await add(
        'notes to Bob by address',
        delegate(owner, didPkhOf(bob), [can(owner, 'notes/', 'gaia/store')]),
      )
      await add('grants below photos to Carol', delegate(owner, carol, [can(owner, 'photos/', 'gaia/grant')]))
      await add(
        'photos and notes to Dave',
        delegate(
          owner,
          dave,
          ['photos/d/', 'notes/'].map((path) => can(owner, path, 'gaia/list')),
        ),
      )
      await add('all to Eve', delegate(owner, newOwner(), [can(owner, '', '*')]))
    })

    const everything = [
      'all to Eve',
      'grants below photos to Carol',
      'notes to Bob by address',
      'photos and notes to Dave',
      'photos to Bob',
    ]
    const rows: Array<{ who: string; as: () => string; sees: string[] }> = [
      { who: 'the owner', as: () => asOwner(owner), sees: everything },
      {
        who: 'the owner with little',
        as: () => invoke(owner, [can(owner, 'x', 'gaia/list')]),
        sees: everything,
      },
      { who: 'Bob', as: () => v1(bob), sees: ['notes to Bob by address', 'photos to Bob'] },
      {
        who: 'Bob with an empty invocation',
        as: () => invoke(bob),
        sees: ['notes to Bob by address', 'photos to Bob'],
      },
      {
        who: 'Carol, who asks for gaia/grant',
        as: () => invoke(carol, [can(owner, 'photos/', 'gaia/grant')]),
        sees: ['grants below photos to Carol', 'photos to Bob'],
      },
      { who: 'Carol, who asks for nothing', as: () => invoke(carol), sees: ['grants below photos to Carol'] },
      {
        who: 'somebody with gaia/grant on all',
        as: () =>
          invoke(mallory, [can(owner, '', 'gaia/grant')], {
            proofs: [delegate(owner, mallory, [can(owner, '', 'gaia/grant')])],
          }),
        sees: everything,
      },
      { who: 'a stranger', as: () => v1(mallory), sees: [] },
      { who: 'a stranger with an invocation', as: () => invoke(mallory), sees: [] },
      { who: 'a stranger who claims all', as: () => invoke(mallory, [can(owner, '', '*')]), sees: [] },
    ]
    for (const { who, as, sees } of rows) {
      it(who, async () => {
        const entries = await entriesFor(suite.world, owner, { as: as() })
        expect(entries.map(({ cid }) => names.get(cid) ?? cid).sort()).to.deep.equal(sees)
      })
    }

    it('by audience', async () => {
      const of = async (audience: string) =>
        (await entriesFor(suite.world, owner, { as: asOwner(owner) }, { audience })).map(({ cid }) =>
          names.get(cid),
        )
      expect(await of(bob.did)).to.deep.equal(['photos to Bob'])
      expect(await of(didPkhOf(bob))).to.deep.equal(['notes to Bob by address'])
      expect(await of(mallory.did)).to.deep.equal([])
    })
  })

  it('goes on for as many pages as there are, each entry once', async () => {
    const { world } = suite
    const owner = newOwner()
    for (let i = 0; i < 101; i++)
      await deposit(world, owner, delegate(owner, bob, [can(owner, `f${i}`, 'gaia/store')]))
    const first = await world.listGrants(owner, { as: asOwner(owner) })
    expect(first.json?.entries).to.have.length(100)
    const second = await world.listGrants(owner, { as: asOwner(owner) }, { page: first.json?.page })
    expect(second.json?.entries).to.have.length(1)
    expect(second.json?.page).to.equal(null)
    const cids = [first, second].flatMap(({ json }) =>
      ((json?.entries ?? []) as Entry[]).map(({ cid }) => cid),
    )
    expect(new Set(cids).size).to.equal(101)
  })

  for (const body of [{ page: 1 }, { page: 'x' }, { audience: 5 }, { audience: [] }, []]) {
    it(`is 400 for ${JSON.stringify(body)}`, async () => {
      const owner = newOwner()
      expectStatus(
        await suite.world.listGrants(owner, { as: asOwner(owner) }, body),
        400,
        'InvalidInputError',
      )
    })
  }

  it('takes no credential that is not valid', async () => {
    const { world } = suite
    const owner = newOwner()
    expectStatus(await world.listGrants(owner, {}), 401, 'ValidationError')
    expectRefused(await world.listGrants(owner, { as: invoke(bob, [], { expiration: testNow }) }), {
      code: 'expired',
    })
    expectRefused(
      await world.listGrants(owner, { as: invoke(bob, [], { audience: 'did:web:other.example' }) }),
      {
        code: 'wrong-audience',
      },
    )
    const scoped = v1(owner, { scopes: [{ scope: 'putFile', domain: 'x' }] })
    expectStatus(await world.listGrants(owner, { as: scoped }), 401, 'ValidationError')
    const proof = delegate(owner, bob, [can(owner, '', 'gaia/list')])
    await world.revoke(owner, { ucan: proof }, { as: asOwner(owner) })
    expectRefused(await world.listGrants(owner, { as: invoke(bob, [], { proofs: [proof] }) }), {
      code: 'revoked',
    })
  })
})

describe('somebody who can write to the storage', () => {
  async function put(driver: Driver, key: Key, content: string): Promise<void> {
    await driver.write(key, Readable.from([Buffer.from(content)]), { contentType: 'application/json' })
  }

  const held = (owner: Persona) => [can(owner, 'photos/', 'gaia/store')]
  const blob = (ucan: string, changes: Record<string, unknown> = {}) => ({
    version: 1,
    cid: cidOf(ucan),
    ucan,
    proofs: [],
    audience: mallory.did,
    depositedAt: testNow,
    ...changes,
  })
  const toBob = (owner: Persona) => delegate(owner, bob, held(owner))

  const rows: Array<{ name: string; blob: (owner: Persona) => unknown; cid?: (owner: Persona) => string }> = [
    { name: 'a grant of her own making', blob: (o) => blob(delegate(mallory, mallory, held(o))) },
    {
      name: 'a grant in the name of the owner',
      blob: (o) => blob(delegate(o, mallory, held(o), { signer: mallory })),
    },
    { name: "Bob's grant with another audience on its label", blob: (o) => blob(toBob(o)) },
    {
      name: "Bob's grant under the name of another",
      blob: (o) => blob(toBob(o)),
      cid: (o) => cidOf(delegate(o, mallory, held(o))),
    },
    {
      name: 'a grant with a changed payload',
      blob: (o) => {
        const [, payload = ''] = delegate(o, mallory, held(o)).split('.')
        const [header = '', , signature = ''] = toBob(o).split('.')
        return blob(`${header}.${payload}.${signature}`)
      },
    },
    {
      name: "a grant of hers on Bob's as its proof",
      blob: (o) => blob(delegate(mallory, mallory, held(o), { proofs: [toBob(o)] })),
    },
    {
      name: 'an invocation of the owner',
      blob: (o) => blob(mint({ issuer: o, audience: hubDid, capabilities: held(o) })),
    },
    {
      name: 'an expired grant',
      blob: (o) => blob(delegate(o, mallory, held(o), { expiration: testNow })),
    },
    { name: 'half a blob', blob: (o) => JSON.stringify(blob(toBob(o))).slice(0, 100) },
    { name: 'nothing', blob: () => '' },
    { name: 'null', blob: () => null },
    { name: 'a list', blob: () => [] },
    { name: 'a token that is no text', blob: (o) => blob(toBob(o), { ucan: { token: 'x' } }) },
    { name: 'proofs that are no list', blob: (o) => blob(toBob(o), { proofs: 'x' }) },
    { name: 'a token of 50 KB', blob: () => blob('x'.repeat(50_000)) },
  ]
  for (const { name, blob: make, cid } of rows) {
    it(`gives herself nothing by ${name}`, async () => {
      const driver = memoryDriver()
      const owner = newOwner()
      const content = make(owner)
      const id = cid?.(owner) ?? cidOf(String((content as { ucan?: unknown } | null)?.ucan))
      const key = authKey(parseAddress(owner.address), `grants/${id}.json`)
      await put(driver, key, typeof content === 'string' ? content : JSON.stringify(content))
      await withWorld({ driver }, async (world) => {
        for (const as of [v1(mallory), invoke(mallory, held(owner))]) {
          expectRefused(await world.store(owner, 'photos/a', { as }), { code: 'no-grant' })
        }
        const ask = { as: asOwner(owner) }
        const ours = await deposit(world, owner, delegate(owner, carol, held(owner)))
        const listed = (await entriesFor(world, owner, ask)).map((entry) => entry.cid)
        expect(listed).to.include(ours)
        expectStatus(await world.store(owner, 'photos/a', { as: invoke(carol, held(owner)) }), 202)
      })
    })
  }

  it('can withhold a grant by damaging it, and a proof likewise', async () => {
    const driver = memoryDriver()
    const owner = newOwner()
    const root = delegate(owner, bob, held(owner), { version: '0.10.0' })
    await withWorld({ driver }, (world) => deposit(world, owner, root).then(() => undefined))
    await put(driver, authKey(parseAddress(owner.address), `grants/${cidOf(root)}.json`), '{}')
    await withWorld({ driver }, async (world) => {
      expectRefused(await world.store(owner, 'photos/a', { as: v1(bob) }), { code: 'no-grant' })
      const as = invoke(bob, held(owner), { version: '0.10.0', proofs: [root] })
      expectRefused(await world.store(owner, 'photos/a', { as }), { code: 'missing-proof', link: 0 })
      expectStatus(await world.store(owner, 'photos/a', { as, ucans: [root] }), 202)
    })
  })

  it('cannot put another token in the place of a proof', async () => {
    const driver = memoryDriver()
    const owner = newOwner()
    const wanted = delegate(mallory, mallory, held(owner), { version: '0.10.0' })
    const good = delegate(owner, mallory, [can(owner, 'x', 'gaia/list')], { version: '0.10.0' })
    const key = authKey(parseAddress(owner.address), `grants/${cidOf(wanted)}.json`)
    await put(driver, key, JSON.stringify(blob(good, { cid: cidOf(wanted) })))
    await withWorld({ driver }, async (world) => {
      const as = invoke(mallory, held(owner), { version: '0.10.0', proofs: [wanted] })
      expectRefused(await world.store(owner, 'photos/a', { as }), { code: 'missing-proof', link: 0 })
    })
  })

  it('cannot undo a revocation by damaging it', async () => {
    const driver = memoryDriver()
    const owner = newOwner()
    const ucan = toBob(owner)
    await withWorld({ driver }, async (world) => {
      await deposit(world, owner, ucan)
      await world.revoke(owner, { ucan }, { as: asOwner(owner) })
    })
    const page = await driver.list(`${owner.address}-auth/revocations/`, { limit: 10, cursor: null })
    expect(page.entries).to.have.length(1)
    for (const { key } of page.entries) await put(driver, key, 'nonsense')
    await withWorld({ driver }, async (world) => {
      expectRefused(await world.store(owner, 'photos/a', { as: v1(bob) }), { code: 'revoked' })
    })
  })
})
