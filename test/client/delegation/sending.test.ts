import { expect } from 'chai'
import { type Delegation, delegate, invoke, Wallet } from '../../../client/index.ts'
import type { HubInfo } from '../../../client/transport/transport.ts'
import type { KeyKind } from '../../../hub/auth/keys.ts'
import { suiteStage } from '../sdk-stage.ts'
import { type Somebody, somebody } from './people.ts'
import { refusal } from './refusal.ts'
import { watchFetch } from './watching.ts'

describe('a chain that is sent', () => {
  const on = suiteStage()

  /** What the last of some people has got from the first, link by link. */
  async function handedOn(people: readonly Somebody[], form: 'inline' | 'cid'): Promise<Delegation> {
    const [first, ...others] = people
    if (first === undefined || others.length === 0) throw new TypeError('name at least two people')
    let by = first
    let given: Delegation | null = null
    for (const to of others) {
      const options = { to: to.did, path: 'photos/', can: 'store', expires: '1d', form }
      given = await delegate(by.signer, { ...options, ...(given === null ? {} : { via: given }) })
      by = to
    }
    return given as Delegation
  }

  async function people(kind: KeyKind, count: number): Promise<Somebody[]> {
    return Promise.all(Array.from({ length: count }, () => somebody(kind)))
  }

  async function writerWith(owner: Somebody, writer: Somebody, ...held: Delegation[]) {
    const wallet = new Wallet()
    for (const one of held) await wallet.add(one)
    const watched = watchFetch()
    const { fetch } = watched
    const connection = await on.stage.connect({
      signer: writer.signer,
      address: owner.address,
      wallet,
      fetch,
    })
    return { wallet, watched, connection }
  }

  for (const kind of ['P-256', 'secp256k1', 'Ed25519'] as const) {
    it(`goes inside the invocation, beside it, or not at all where it is deposited: ${kind}`, async () => {
      const [alice, bob, carol] = (await people(kind, 3)) as [Somebody, Somebody, Somebody]
      const direct = await handedOn([alice, bob], 'inline')
      const named = await handedOn([alice, bob, carol], 'cid')

      const bobs = await writerWith(alice, bob, direct)
      await bobs.connection.put('photos/1', 'one')
      expect(bobs.watched.way()).to.equal('inline')

      const carols = await writerWith(alice, carol, named)
      await carols.connection.put('photos/2', 'two')
      expect(carols.watched.way()).to.equal('header')
      const lengthBeside = carols.watched.length()

      const owner = await on.stage.connect({ signer: alice.signer })
      await owner.grant(named)
      const entries = await listed(carols.connection.grants())
      expect(entries.map(({ cid }) => cid)).to.deep.equal([named.cid])
      await carols.connection.put('photos/3', 'three')
      expect(carols.watched.way()).to.equal(kind === 'secp256k1' ? 'v1' : 'bare')
      expect(carols.watched.length()).to.be.lessThan(lengthBeside)
      expect(await carols.wallet.exportJson()).to.include(carols.connection.hub.did)

      // Another session of Carol's knows it by her wallet.
      const again = await on.stage.connect({
        signer: carol.signer,
        address: alice.address,
        wallet: carols.wallet,
        fetch: carols.watched.fetch,
      })
      await again.put('photos/4', 'four')
      expect(carols.watched.way()).to.not.equal('header')
    })
  }

  it('takes the way of fewer bytes, and one header where they are nearly the same', async () => {
    const three = await people('Ed25519', 4)
    const hub = {
      did: 'did:web:hub.example',
      maxUcanBytes: 16_384,
      ucanVersions: ['0.8.1', '0.9.1', '0.10.0'],
    }
    for (const links of [1, 2, 3]) {
      const chain = await handedOn(three.slice(0, links + 1), 'inline')
      const used = { signer: three[links]?.signer ?? three[0]?.signer, capabilities: chain.capabilities }
      if (used.signer === undefined) throw new TypeError('somebody signs')
      const options = { ...used, signer: used.signer, delegations: [chain], expiration: 1_900_000_000 }
      const best = await invoke({ ...options, hub })
      const inline = await invoke({ ...options, hub: { ...hub, ucanVersions: ['0.8.1'] } })
      expect(inline.way).to.equal('inline')
      if (best.way === 'header') expect(best.length).to.be.at.most(inline.length * 0.9)
      expect(best.way).to.equal(links === 1 ? 'inline' : 'header')
    }
  })

  it('is not sent where the hub’s limits do not allow it: the error says what will do', async () => {
    const [alice, bob, carol] = (await people('Ed25519', 3)) as [Somebody, Somebody, Somebody]
    const chain = await handedOn([alice, bob, carol], 'inline')
    const { signer } = carol
    const options = {
      signer,
      capabilities: chain.capabilities,
      delegations: [chain],
      expiration: 1_900_000_000,
    }
    const hub: Pick<HubInfo, 'did' | 'maxUcanBytes' | 'ucanVersions'> = {
      did: 'did:web:hub.example',
      maxUcanBytes: 1_500,
      ucanVersions: ['0.8.1', '0.9.1'],
    }
    const small = await refusal(invoke({ ...options, hub }))
    expect(small.code).to.equal('too-large')
    expect(small.message).to.include('1,500').and.include('grant')
    expect((await invoke({ ...options, hub: { ...hub, maxUcanBytes: 2_200 } })).way).to.equal('header')
    const unknowing = { ...options, hub: { ...hub, maxUcanBytes: 16_384, did: null } }
    expect((await refusal(invoke(unknowing))).code).to.equal('no-delegation')
  })

  it('counts what the hub counts: exactly the limit is taken, one byte less is not', async () => {
    const [alice, bob] = (await people('P-256', 2)) as [Somebody, Somebody]
    const chain = await handedOn([alice, bob], 'cid')
    const hub = { did: 'did:web:hub.example', maxUcanBytes: 16_384, ucanVersions: ['0.9.1'] }
    const options = {
      signer: bob.signer,
      capabilities: chain.capabilities,
      delegations: [chain],
      expiration: 1_900_000_000,
    }
    const { headers, way } = await invoke({ ...options, hub })
    const { Authorization = '', ucans = '' } = headers
    const tokens = [
      Authorization.slice('Bearer ucan:'.length),
      ...ucans
        .split(', ')
        .filter(Boolean)
        .map((one) => one.slice(61)),
    ]
    const bytes = tokens.reduce((sum, token) => sum + token.length, 0)
    expect((await invoke({ ...options, hub: { ...hub, maxUcanBytes: bytes } })).way).to.equal(way)
    const less = await invoke({ ...options, hub: { ...hub, maxUcanBytes: bytes - 1 } }).catch(() => null)
    expect(less?.way).to.not.equal(way)
  })

  it('of seven links is sent with the invocation, eight in all, and never more', async () => {
    const all = await people('Ed25519', 9)
    const [alice] = all as [Somebody]
    const seven = await handedOn(all.slice(0, 8), 'cid')
    const writer = all[7] as Somebody
    const { connection, watched } = await writerWith(alice, writer, seven)
    await connection.put('photos/deep', 'x')
    expect(watched.way()).to.equal('header')
    const eight = await handedOn(all, 'cid')
    const last = await writerWith(alice, all[8] as Somebody, eight)
    expect((await refusal(last.connection.put('photos/deeper', 'x'))).code).to.equal('too-deep')
    expect(last.watched.sent).to.deep.equal([])
  })

  it('of sixteen tokens leaves no room for the invocation', async () => {
    const [alice, bob] = (await people('Ed25519', 2)) as [Somebody, Somebody]
    const options = { to: bob.did, path: '', can: 'list', expires: '1d' }
    const many = await Promise.all(Array.from({ length: 16 }, () => delegate(alice.signer, options)))
    const hub = { did: 'did:web:hub.example', maxUcanBytes: 16_384, ucanVersions: ['0.9.1'] }
    const ask = (delegations: Delegation[]) =>
      invoke({ hub, signer: bob.signer, delegations, capabilities: [], expiration: 1_900_000_000 })
    expect((await refusal(ask(many))).code).to.equal('too-large')
    expect((await ask(many.slice(1))).headers.Authorization).to.match(/^Bearer ucan:/)
  })

  it('is signed once for many requests, and anew before it expires', async () => {
    const [alice, bob] = (await people('P-256', 2)) as [Somebody, Somebody]
    const chain = await handedOn([alice, bob], 'inline')
    const { connection, watched } = await writerWith(alice, bob, chain)
    for (const name of ['a', 'b', 'c']) await connection.put(`photos/${name}`, name)
    expect(new Set(watched.sent).size).to.equal(1)
  })

  it('is sent after all where a deposited grant is gone, or never was', async () => {
    const [alice, bob] = (await people('Ed25519', 2)) as [Somebody, Somebody]
    const chain = await handedOn([alice, bob], 'inline')
    const { connection, watched, wallet } = await writerWith(alice, bob)
    await wallet.add(chain, { depositedAt: connection.hub.did ?? '' })
    await connection.put('photos/a', 'a')
    expect(watched.sent.length).to.equal(2)
    expect(watched.way()).to.equal('inline')
    await connection.put('photos/b', 'b')
    expect(watched.sent.length).to.equal(3)
    expect(await wallet.exportJson()).to.not.include(connection.hub.did)
  })

  it('gives way to another one where it turns out to be revoked', async () => {
    const [alice, bob] = (await people('P-256', 2)) as [Somebody, Somebody]
    const strong = await delegate(alice.signer, { to: bob.did, path: '', can: 'gaia/*', expires: '9d' })
    const weak = await handedOn([alice, bob], 'inline')
    const owner = await on.stage.connect({ signer: alice.signer })
    const { connection, watched } = await writerWith(alice, bob, strong, weak)
    await connection.put('photos/a', 'a')
    await owner.revoke(strong)
    await connection.put('photos/b', 'b')
    expect(watched.sent.length).to.equal(3)
    await connection.put('photos/c', 'c')
    expect(watched.sent.length).to.equal(4)
    await owner.revoke(weak)
    expect((await refusal(connection.put('photos/d', 'd'))).code).to.equal('revoked')
  })

  it('lists what several delegations show together', async () => {
    const [alice, bob] = (await people('Ed25519', 2)) as [Somebody, Somebody]
    const owner = await on.stage.connect({ signer: alice.signer })
    for (const path of ['a/1', 'b/2', 'c/3']) await owner.put(path, path)
    const shown = await Promise.all(
      ['a/', 'c/'].map((path) => delegate(alice.signer, { to: bob.did, path, can: 'list', expires: '1d' })),
    )
    const { connection } = await writerWith(alice, bob, ...shown)
    expect(await listed(connection.list())).to.deep.equal(['a/1', 'c/3'])
    expect(await listed(connection.list({ prefix: 'c/' }))).to.deep.equal(['c/3'])
  })

  it('writes with history kept, and deletes, as far as was given', async () => {
    const [alice, bob] = (await people('P-256', 2)) as [Somebody, Somebody]
    const archive = await delegate(alice.signer, { to: bob.did, path: 'n/', can: 'archive', expires: '1d' })
    const { connection } = await writerWith(alice, bob, archive)
    await connection.put('n/a', 'one')
    await connection.put('n/a', 'two')
    const owner = await on.stage.connect({ signer: alice.signer })
    expect((await owner.history('n/a')).length).to.equal(1)
    expect(await connection.delete('n/a')).to.equal(true)
    expect((await owner.history('n/a')).length).to.equal(2)
  })
})

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
