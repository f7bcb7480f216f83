import { expect } from 'chai'
import { DriverError, type DriverErrorCode } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { eventually, sleep } from '../hub/eventually.ts'
import { type DriverCall, type FaultyDriver, faultyDriver, gate } from '../hub/faulty-driver.ts'
import { openRaw, type RawConnection, rawHead } from '../hub/raw.ts'
import { can, hubDid, mint, testNow } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'
import { asOwner, bob, carol, delegate, invoke, newOwner, v1 } from './people.ts'
import {
  type Ask,
  expectRefused,
  expectStatus,
  headersOf,
  startWorld,
  type World,
  withWorld,
} from './world.ts'

/** An owner with a grant to Bob, deposited, and the ways in which Bob and Carol may use it. */
async function setUp(world: World) {
  const owner = newOwner()
  const held = [can(owner, 'photos/', 'gaia/store')]
  const times = { issuedAt: testNow - 100, version: '0.10.0' } as const
  const toBob = delegate(owner, bob, held, times)
  const toCarol = delegate(bob, carol, held, { ...times, proofs: [toBob] })
  const owners = { as: v1(owner, { iat: testNow }) }
  expectStatus(await world.deposit(owner, { ucan: toBob }, owners), 201)
  const asks: Record<string, Ask> = {
    'an invocation with its proof': { as: invoke(bob, held, { ...times, proofs: [toBob] }), ucans: [toBob] },
    'an invocation of Carol': {
      as: invoke(carol, held, { ...times, proofs: [toCarol] }),
      ucans: [toBob, toCarol],
    },
    'an invocation that names the grant': { as: invoke(bob, held, { ...times, proofs: [toBob] }) },
    'an invocation without proofs': { as: invoke(bob, held) },
    'a v1 token': { as: v1(bob) },
  }
  return { owner, held, toBob, owners, asks }
}

const credentials = [
  'an invocation with its proof',
  'an invocation of Carol',
  'an invocation that names the grant',
  'an invocation without proofs',
  'a v1 token',
]

/** Begins to upload ten bytes and stops after five, once the driver has begun to write. */
async function beginUpload(
  world: World,
  driver: FaultyDriver,
  owner: Persona,
  ask: Ask,
): Promise<RawConnection> {
  const writes = () => driver.calls.filter((call) => call === `write ${owner.address}/photos/a`).length
  const before = writes()
  const connection = openRaw(world.hub.port)
  const headers = { ...headersOf(ask), 'Content-Length': '10', Connection: 'close' }
  connection.write(rawHead('POST', `/store/${owner.address}/photos/a`, headers))
  connection.write('fresh')
  await eventually(async () => {
    expect(writes()).to.equal(before + 1)
  }, 3000)
  return connection
}

async function finishUpload(connection: RawConnection) {
  connection.write('bytes')
  const answer = await connection.answer
  connection.socket.destroy()
  return {
    ...answer,
    headers: new Headers(answer.headers),
    body: Buffer.from(answer.body),
    json: answer.json(),
  }
}

describe('a write that is still streaming', () => {
  let driver: FaultyDriver
  let world: World
  before(async () => {
    driver = faultyDriver(memoryDriver())
    world = await startWorld({ driver })
  })
  after(async () => {
    await world.close()
    world.expectCleanLog()
  })

  const ends: Array<[string, (of: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>]> = [
    ['the grant is revoked', ({ owner, toBob, owners }) => world.revoke(owner, { ucan: toBob }, owners)],
    ['everything is revoked', ({ owner, owners }) => world.revokeAll(owner, testNow - 50, owners)],
  ]
  for (const [what, end] of ends) {
    for (const name of credentials) {
      it(`with ${name} is refused when ${what}, and the former version stays`, async () => {
        const all = await setUp(world)
        const { owner, owners } = all
        await world.store(owner, 'photos/a', { ...owners, body: 'former' })
        const before = await world.content(owner, 'photos/a')
        const connection = await beginUpload(world, driver, owner, all.asks[name] ?? {})
        await end(all)
        expectRefused(await finishUpload(connection), { code: 'revoked' })
        expect(await world.content(owner, 'photos/a')).to.equal(before)
      })
    }
  }

  for (const name of credentials) {
    it(`with ${name} goes through when another grant is revoked meanwhile`, async () => {
      const { owner, owners, held, asks } = await setUp(world)
      const other = delegate(owner, carol, held)
      await world.deposit(owner, { ucan: other }, owners)
      const connection = await beginUpload(world, driver, owner, asks[name] ?? {})
      await world.revoke(owner, { ucan: other }, owners)
      expect((await finishUpload(connection)).status).to.equal(202)
      expect(await world.content(owner, 'photos/a')).to.equal('freshbytes')
    })
  }

  for (const by of ['invocation', 'grant'] as const) {
    for (const end of ['revoked', 'cut off'] as const) {
      it(`by ${by} is refused when the delegation is ${end} at another address that it speaks of`, async () => {
        const owner = newOwner()
        // The same key owns the address of its did:key too.
        const twin = { ...owner, address: owner.did.replace('did:key:', '') }
        const owners = { as: v1(owner, { iat: testNow }) }
        const held = [can(owner, '', 'gaia/store')]
        const toBob = delegate(owner, bob, [...held, can(twin, '', 'gaia/store')], { issuedAt: testNow - 50 })
        expectStatus(await world.deposit(owner, { ucan: toBob }, owners), 201)
        const ask = { as: by === 'grant' ? v1(bob) : invoke(bob, held, { proofs: [toBob] }) }
        const connection = await beginUpload(world, driver, owner, ask)
        if (end === 'revoked') await world.revoke(twin, { ucan: toBob }, owners)
        else await world.revokeAll(twin, testNow, owners)
        expectRefused(await finishUpload(connection), { code: 'revoked' })
        expectRefused(await world.store(owner, 'photos/a', ask), { code: 'revoked' })
        expect(await world.content(owner, 'photos/a')).to.equal(null)
      })
    }
  }

  it('with an invocation without proofs is refused when that itself is revoked', async () => {
    const { owner, owners, held } = await setUp(world)
    const ucan = mint({ issuer: bob, audience: hubDid, capabilities: held })
    const connection = await beginUpload(world, driver, owner, { as: ucan })
    expectStatus(await world.revoke(owner, { ucan }, owners), 202)
    expectRefused(await finishUpload(connection), { code: 'revoked' })
    expect(await world.content(owner, 'photos/a')).to.equal(null)
  })

  it("with the owner's own invocation is refused when it is cut off", async () => {
    const { owner, owners } = await setUp(world)
    const as = invoke(owner, [can(owner, '', '*')], { issuedAt: testNow - 100 })
    const connection = await beginUpload(world, driver, owner, { as })
    await world.revokeAll(owner, testNow - 50, owners)
    expectRefused(await finishUpload(connection), { code: 'revoked' })
    expect(await world.content(owner, 'photos/a')).to.equal(null)
  })

  it('is not cut short by its exp: what was valid when it began may end', async () => {
    await withWorld({ driver }, async (own) => {
      const { owner, held, toBob } = await setUp(own)
      const as = invoke(bob, held, { version: '0.10.0', proofs: [toBob], expiration: testNow + 5 })
      const connection = await beginUpload(own, driver, owner, { as })
      own.hub.clock.advanceSeconds(10)
      expect((await finishUpload(connection)).status).to.equal(202)
    })
  })

  it('is refused with 503 when storage cannot tell any more', async () => {
    await withWorld({ driver, revocationMaxAgeSeconds: 0 }, async (own) => {
      const { owner, asks } = await setUp(own)
      for (const name of credentials) {
        const connection = await beginUpload(own, driver, owner, asks[name] ?? {})
        const heal = driver.inject('list', unavailable(), (key) => key.includes('-auth/revocations/'))
        const answer = await finishUpload(connection)
        heal()
        expectStatus(answer, 503, 'StorageError')
        expect(await own.content(owner, 'photos/a')).to.equal(null)
      }
    })
  })
})

function unavailable(code: DriverErrorCode = 'unavailable'): () => Promise<void> {
  return () => Promise.reject(new DriverError(code, 'the storage does not answer'))
}

describe('a delete that has not come to the storage yet', () => {
  it('is refused when its delegation is revoked meanwhile, and the file stays', async () => {
    const driver = faultyDriver(memoryDriver())
    await withWorld({ driver }, async (world) => {
      const owner = newOwner()
      const owners = { as: v1(owner, { iat: testNow }) }
      const held = [can(owner, '', 'gaia/delete')]
      const toBob = delegate(owner, bob, held)
      const stored = await world.store(owner, 'a', { ...owners, body: 'kept' })
      const { etag } = stored.json as { etag: string }
      const lookUp = gate()
      driver.inject('stat', lookUp.fault)
      const answer = world.delete(owner, 'a', {
        as: invoke(bob, held, { proofs: [toBob] }),
        // Which of the two is there has to be looked up.
        headers: { 'If-Match': `${etag}, "another"` },
      })
      await lookUp.reached
      expectStatus(await world.revoke(owner, { ucan: toBob }, owners), 202)
      lookUp.open()
      expectRefused(await answer, { code: 'revoked' })
      expect(await world.content(owner, 'a')).to.equal('kept')
    })
  })
})

describe('two hubs over one storage', () => {
  async function withTwo(seconds: number, test: (one: World, two: World) => Promise<void>): Promise<void> {
    const driver = memoryDriver()
    await withWorld({ driver, revocationMaxAgeSeconds: seconds }, (one) =>
      withWorld({ driver, revocationMaxAgeSeconds: seconds }, (two) => test(one, two)),
    )
  }

  for (const [what, end] of [
    [
      'a revocation',
      (one: World, { owner, toBob, owners }: Awaited<ReturnType<typeof setUp>>) =>
        one.revoke(owner, { ucan: toBob }, owners),
    ],
    [
      'a revoke-all',
      (one: World, { owner, owners }: Awaited<ReturnType<typeof setUp>>) =>
        one.revokeAll(owner, testNow - 50, owners),
    ],
  ] as const) {
    it(`tell each other of ${what} at once where the age is 0`, async () => {
      await withTwo(0, async (one, two) => {
        const all = await setUp(one)
        for (const name of credentials) {
          expectStatus(await two.store(all.owner, 'photos/a', all.asks[name] ?? {}), 202)
        }
        await end(one, all)
        for (const name of credentials) {
          expectRefused(await two.store(all.owner, 'photos/a', all.asks[name] ?? {}), { code: 'revoked' })
        }
      })
    })

    it(`tell each other of ${what} within revocationMaxAge`, async () => {
      const seconds = 0.4
      await withTwo(seconds, async (one, two) => {
        const all = await setUp(one)
        for (const name of credentials) {
          expectStatus(await two.store(all.owner, 'photos/a', all.asks[name] ?? {}), 202)
        }
        await end(one, all)
        for (const name of credentials) {
          expectRefused(await one.store(all.owner, 'photos/a', all.asks[name] ?? {}), { code: 'revoked' })
        }
        await sleep(seconds * 1000)
        for (const name of credentials) {
          expectRefused(await two.store(all.owner, 'photos/a', all.asks[name] ?? {}), { code: 'revoked' })
        }
      })
    })
  }

  it('see what the other was given: a new grant within revocationMaxAge, at its own hub at once', async () => {
    const seconds = 0.4
    await withTwo(seconds, async (one, two) => {
      const owner = newOwner()
      const ask = { as: v1(bob) }
      for (const world of [one, two]) {
        expectRefused(await world.store(owner, 'photos/a', ask), { code: 'no-grant' })
      }
      const ucan = delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')])
      await one.deposit(owner, { ucan }, { as: asOwner(owner) })
      expectStatus(await one.store(owner, 'photos/a', ask), 202)
      await sleep(seconds * 1000)
      expectStatus(await two.store(owner, 'photos/a', ask), 202)
    })
  })

  it('lose no grant and no revocation of each other when both write at the same time', async () => {
    await withTwo(0, async (one, two) => {
      const owner = newOwner()
      const ask = { as: asOwner(owner) }
      const tokens = Array.from({ length: 20 }, (_, i) =>
        delegate(owner, bob, [can(owner, `f${i}`, 'gaia/store')]),
      )
      const at = (i: number) => (i % 2 === 0 ? one : two)
      await Promise.all(tokens.map((ucan, i) => at(i).deposit(owner, { ucan }, ask)))
      await Promise.all(tokens.slice(0, 10).map((ucan, i) => at(i + 1).revoke(owner, { ucan }, ask)))
      for (const world of [one, two]) {
        const { json } = await world.listGrants(owner, ask)
        const entries = json?.entries as Array<{ revoked: boolean }>
        expect(entries.filter(({ revoked }) => revoked)).to.have.length(10)
        expect(entries).to.have.length(20)
      }
    })
  })

  it('deposit one grant at both at once: one is told 201', async () => {
    await withTwo(0, async (one, two) => {
      const owner = newOwner()
      const ucan = delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')])
      const ask = { as: asOwner(owner) }
      const answers = await Promise.all([one, two].map((world) => world.deposit(owner, { ucan }, ask)))
      expect(answers.map(({ status }) => status)).to.have.members([200, 201])
    })
  })
})

describe('a hub that starts anew', () => {
  it('knows what was granted and revoked before', async () => {
    const driver = memoryDriver()
    let all: Awaited<ReturnType<typeof setUp>> | undefined
    await withWorld({ driver }, async (world) => {
      all = await setUp(world)
    })
    if (all === undefined) throw new Error('the first hub has run')
    const { owner, toBob, owners, asks } = all
    await withWorld({ driver }, async (world) => {
      for (const name of credentials)
        expectStatus(await world.store(owner, 'photos/a', asks[name] ?? {}), 202)
      await world.revoke(owner, { ucan: toBob }, owners)
    })
    await withWorld({ driver }, async (world) => {
      for (const name of credentials) {
        expectRefused(await world.store(owner, 'photos/a', asks[name] ?? {}), { code: 'revoked' })
      }
      expectRefused(await world.deposit(owner, { ucan: toBob }, owners), { code: 'revoked' })
    })
  })
})

describe('storage that cannot be read', () => {
  const rows: Array<{ what: string; call: DriverCall; part: string; spares: readonly string[] }> = [
    { what: 'the list of grants', call: 'list', part: '-auth/grants/', spares: credentials.slice(0, 3) },
    { what: 'a grant', call: 'read', part: '-auth/grants/', spares: credentials.slice(0, 2) },
    { what: 'revocations', call: 'list', part: '-auth/revocations/', spares: [] },
    { what: 'the oldest valid timestamp', call: 'read', part: '-auth/authTimestamp', spares: [] },
  ]
  for (const { what, call, part, spares } of rows) {
    for (const [code, status] of [
      ['unavailable', 503],
      ['backend', 502],
    ] as const) {
      it(`(${what}: ${code}) lets nobody write: ${status}, and Bob again when it answers`, async () => {
        const inner = memoryDriver()
        let all: Awaited<ReturnType<typeof setUp>> | undefined
        await withWorld({ driver: inner }, async (world) => {
          all = await setUp(world)
        })
        if (all === undefined) throw new Error('the first hub has run')
        const { owner, asks } = all
        // A hub that remembers nothing yet.
        const driver = faultyDriver(inner)
        await withWorld({ driver }, async (world) => {
          const before = await world.snapshot(owner)
          const heal = driver.inject(call, unavailable(code), (key) => key.includes(part))
          for (const name of credentials) {
            if (spares.includes(name)) continue
            const answer = await world.store(owner, 'photos/a', asks[name] ?? {})
            expectStatus(answer, status, 'StorageError')
            expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0)
          }
          heal()
          expect(await world.snapshot(owner)).to.deep.equal(before)
          for (const name of credentials)
            expectStatus(await world.store(owner, 'photos/a', asks[name] ?? {}), 202)
        })
      })
    }
  }

  it('lets nobody revoke by halves: a revocation that cannot be kept is not answered 202', async () => {
    const driver = faultyDriver(memoryDriver())
    await withWorld({ driver }, async (world) => {
      const { owner, toBob, owners, asks } = await setUp(world)
      const heal = driver.inject('write', unavailable(), (key) => key.includes('-auth/'))
      expectStatus(await world.revoke(owner, { ucan: toBob }, owners), 503, 'StorageError')
      expectStatus(await world.revokeAll(owner, testNow - 50, owners), 503, 'StorageError')
      const ucan = delegate(owner, carol, [can(owner, '', 'gaia/store')])
      expectStatus(await world.deposit(owner, { ucan }, owners), 503, 'StorageError')
      heal()
      expectStatus(await world.store(owner, 'photos/a', asks['a v1 token'] ?? {}), 202)
      expectRefused(await world.store(owner, 'photos/a', { as: invoke(carol, [can(owner, '', '*')]) }), {
        code: 'no-grant',
      })
      expectStatus(await world.revoke(owner, { ucan: toBob }, owners), 202)
      expectRefused(await world.store(owner, 'photos/a', asks['a v1 token'] ?? {}), { code: 'revoked' })
    })
  })

  it('does not forget what is revoked when facts age and storage is away', async () => {
    const driver = faultyDriver(memoryDriver())
    await withWorld({ driver, revocationMaxAgeSeconds: 0.05 }, async (world) => {
      const { owner, toBob, owners, asks } = await setUp(world)
      await world.revoke(owner, { ucan: toBob }, owners)
      await sleep(100)
      driver.inject('list', unavailable())
      for (const name of credentials) {
        expectStatus(await world.store(owner, 'photos/a', asks[name] ?? {}), 503, 'StorageError')
      }
    })
  })
})
