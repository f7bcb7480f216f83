import { join } from 'node:path'
import { expect } from 'chai'
import { memoryDriver } from '../../drivers/memory.ts'
import { bob, delegate, newOwner, v1 } from '../delegation/people.ts'
import { expectRefused, expectStatus, startWorld, type World } from '../delegation/world.ts'
import { sleep } from '../hub/eventually.ts'
import { can, testNow } from '../ucan/mint.ts'
import { newFolder, removeFolders, runCopying } from './copying.ts'

/** An owner at a hub, with a grant to Bob. */
async function grantToBob(world: World) {
  const owner = newOwner()
  const as = v1(owner, { iat: testNow })
  const times = { issuedAt: testNow - 100, version: '0.10.0' } as const
  const ucan = delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')], times)
  expectStatus(await world.deposit(owner, { ucan }, { as }), 201)
  return { owner, as, ucan }
}

describe('a hub that runs over the destination of a copy', () => {
  const worlds: World[] = []
  let ledger: string

  beforeEach(async () => {
    ledger = join(await newFolder(), 'record')
  })
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close()
    await removeFolders()
  })

  async function twoWorlds(revocationMaxAgeSeconds: number): Promise<readonly [World, World]> {
    const made = await Promise.all(
      [memoryDriver(), memoryDriver()].map((driver) => startWorld({ driver, revocationMaxAgeSeconds })),
    )
    worlds.push(...made)
    const [here, there] = made
    if (here === undefined || there === undefined) throw new Error('two were asked for')
    return [here, there]
  }

  it('takes a grant that was brought over', async () => {
    const [here, there] = await twoWorlds(0)
    const { owner } = await grantToBob(here)
    await runCopying(here.hub.driver, there.hub.driver, ledger)
    expectStatus(await there.store(owner, 'photos/a', { as: v1(bob) }), 202)
  })

  for (const how of ['a revocation', 'the timestamp'] as const) {
    it(`never takes a grant that was ended by ${how}, though it remembers that nothing was`, async () => {
      const maxAgeSeconds = 1
      const [here, there] = await twoWorlds(maxAgeSeconds)
      const { owner, as, ucan } = await grantToBob(here)
      if (how === 'a revocation') expectStatus(await here.revoke(owner, { ucan }, { as }), 202)
      else expectStatus(await here.revokeAll(owner, testNow - 50, { as }), 202)

      // One that is in force there, so that the hub has looked at what is revoked, and remembers it.
      const fresh = { issuedAt: testNow - 10, version: '0.10.0' } as const
      const other = delegate(owner, bob, [can(owner, 'docs/', 'gaia/store')], fresh)
      expectStatus(await there.deposit(owner, { ucan: other }, { as }), 201)

      let isOver = false
      const answers = new Set<number>()
      const mallory = async (): Promise<void> => {
        while (!isOver) answers.add((await there.store(owner, 'photos/a', { as: v1(bob) })).status)
      }
      const trying = mallory()
      const settleMs = maxAgeSeconds * 1000
      await runCopying(here.hub.driver, there.hub.driver, ledger, { settleMs })
      // It may take as long to hear of the grant as of its end.
      await sleep(settleMs + 200)
      isOver = true
      await trying
      expect([...answers]).to.have.members([401, 403])
      expectStatus(await there.store(owner, 'docs/a', { as: v1(bob) }), 202)
      expectRefused(await there.store(owner, 'photos/a', { as: v1(bob) }), { code: 'revoked' })
    })
  }
})
