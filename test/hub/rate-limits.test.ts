import { expect } from 'chai'
import { peers } from '../../http/peer.ts'
import { noHubInstruments } from '../../hub/instruments.ts'
import { delegate, invoke, newOwner, v1, bob as writer } from '../delegation/people.ts'
import { withWorld } from '../delegation/world.ts'
import { can, testNow } from '../ucan/mint.ts'
import { withHub } from './harness.ts'
import { alice, bob, mallory } from './people.ts'
import { v1Token } from './tokens.ts'

describe('a limit of requests at each address', () => {
  const addressRequestsPerMinute = 3

  it('answers 429 with Retry-After and CORS to an owner who goes beyond it, and lets others go on', async () => {
    const turnedAway: string[] = []
    const instruments = { ...noHubInstruments, turnedAway: (why: string) => void turnedAway.push(why) }
    await withHub({ addressRequestsPerMinute, instruments }, async (hub) => {
      for (let i = 0; i < 3; i++) expect((await hub.store(`a/${i}`, 'x', { by: alice })).status).to.equal(202)
      const refused = await hub.store('a/3', 'x', { by: alice })
      expect(refused.status).to.equal(429)
      expect(refused.json).to.include({ error: 'RateLimitedError' })
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60)
      expect(refused.headers.get('access-control-allow-origin')).to.equal('*')
      expect((await hub.list({ page: null }, { by: alice })).status).to.equal(429)
      expect((await hub.store('a/0', 'x', { by: bob })).status).to.equal(202)
    })
    expect(turnedAway).to.deep.equal(['address_rate', 'address_rate'])
  })

  for (const [name, options] of [
    ['without a credential', { at: alice }],
    ['with a credential of her own', { by: mallory, at: alice }],
    ['with a forged one', { token: `${v1Token(alice)}x`, at: alice }],
  ] as const) {
    it(`is not used up by mallory, who comes ${name}`, async () => {
      await withHub({ addressRequestsPerMinute }, async (hub) => {
        for (let i = 0; i < 6; i++) expect((await hub.store('a', 'x', options)).status).to.equal(401)
        expect((await hub.store('a', 'x', { by: alice })).status).to.equal(202)
      })
    })
  }
})

describe('a limit of requests at an address with writers', () => {
  it("is one for all writers, and leaves the owner what is the owner's", async () => {
    await withWorld({ addressRequestsPerMinute: 3 }, async (world) => {
      const owner = newOwner()
      const ucan = delegate(owner, writer, [can(owner, '', 'gaia/store')])
      expect((await world.deposit(owner, { ucan }, { as: v1(owner) })).status).to.equal(201)
      const statuses = []
      for (let i = 0; i < 4; i++) statuses.push((await world.store(owner, 'a', { as: v1(writer) })).status)
      expect(statuses).to.deep.equal([202, 202, 202, 429])
      expect((await world.store(owner, 'a', { as: v1(owner) })).status).to.equal(202)
    })
  })
})

describe('a limit of requests at an address whose owner lost a token', () => {
  const addressRequestsPerMinute = 2

  it("counts who holds a part of what is the owner's as a writer, refused overreaches too", async () => {
    await withWorld({ addressRequestsPerMinute }, async (world) => {
      const owner = newOwner()
      const scoped = v1(owner, { scopes: [{ scope: 'putFile', domain: 'app' }] })
      expect((await world.store(owner, 'app', { as: scoped })).status).to.equal(202)
      expect((await world.store(owner, 'other', { as: scoped })).status).to.equal(401)
      const narrow = invoke(owner, [can(owner, 'app', 'gaia/store')])
      expect((await world.store(owner, 'app', { as: narrow })).status).to.equal(429)
      expect((await world.store(owner, 'app', { as: v1(owner) })).status).to.equal(202)
    })
  })

  it('lets an owner revoke all, and one delegation, though the count is used up', async () => {
    await withWorld({ addressRequestsPerMinute }, async (world) => {
      const owner = newOwner()
      const ucan = delegate(owner, writer, [can(owner, '', 'gaia/store')])
      for (let i = 0; i < 2; i++) await world.store(owner, 'a', { as: v1(owner) })
      expect((await world.store(owner, 'a', { as: v1(owner) })).status).to.equal(429)
      expect((await world.revoke(owner, { ucan }, { as: v1(owner) })).status).to.equal(202)
      expect((await world.revokeAll(owner, testNow, { as: v1(owner) })).status).to.equal(202)
    })
  })

  it('counts the revocations of writers, apart from all else that they do', async () => {
    await withWorld({ addressRequestsPerMinute }, async (world) => {
      const owner = newOwner()
      const root = delegate(owner, writer, [can(owner, '', 'gaia/store')])
      expect((await world.deposit(owner, { ucan: root }, { as: v1(owner) })).status).to.equal(201)
      const child = () => delegate(writer, newOwner(), [can(owner, '', 'gaia/store')], { proofs: [root] })
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) {
        statuses.push((await world.revoke(owner, { ucan: child() }, { as: v1(writer) })).status)
      }
      expect(statuses).to.deep.equal([202, 202, 429, 429])
      expect((await world.store(owner, 'a', { as: v1(writer) })).status).to.equal(202)
      expect((await world.revoke(owner, { ucan: root }, { as: v1(owner) })).status).to.equal(202)
    })
  })
})

describe('a limit of requests of each peer', () => {
  it('holds before anything is looked at, good tokens and bad ones alike', async () => {
    const peerLimit = { perMinute: 2, peers: peers([]) }
    await withHub({ peerLimit }, async (hub) => {
      expect((await hub.store('a', 'x', { token: 'v1:x', at: alice })).status).to.equal(401)
      expect((await hub.store('a', 'x', { by: alice })).status).to.equal(202)
      expect((await hub.store('a', 'x', { token: 'v1:x', at: alice })).status).to.equal(429)
      expect((await hub.store('a', 'x', { by: alice })).status).to.equal(429)
    })
  })
})
