import { Readable } from 'node:stream'
import { expect } from 'chai'
import type { Driver } from '../../drivers/driver.ts'
import { type Address, authKey, fileKey, type Key, parsePath } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { authorityStore } from '../../hub/auth/authority-store.ts'
import { cidOf, revocationIdOf } from '../../hub/auth/ucan/index.ts'
import { type SweepReport, sweep } from '../../hub/sweep.ts'
import { mint } from '../ucan/mint.ts'
import { persona } from '../ucan/personas.ts'

const alice = persona('alice')
const bob = persona('bob')

const now = 1_800_000_000
const day = 24 * 60 * 60
const address = alice.address as Address

describe('the sweep', () => {
  const cases = [
    { what: 'expired over a day ago', expiration: now - day - 1, removed: true },
    {
      what: 'expired less than a day ago, which another clock may not know',
      expiration: now - day + 1,
      removed: false,
    },
    { what: 'in force', expiration: now + 1, removed: false },
    { what: 'without an end', expiration: null, removed: false },
  ]
  for (const { what, expiration, removed } of cases) {
    it(`${removed ? 'removes' : 'keeps'} a grant that is ${what}`, async () => {
      const { driver, grant } = await depositedGrant(expiration)
      const report = await run(driver)
      expect(report.grants).to.equal(removed ? 1 : 0)
      expect(await exists(driver, grant)).to.equal(!removed)
    })

    it(`${removed ? 'removes' : 'keeps'} the revocation of a delegation that is ${what}`, async () => {
      const { driver, revocation } = await storedRevocation(expiration)
      const report = await run(driver)
      expect(report.revocations).to.equal(removed ? 1 : 0)
      expect(await exists(driver, revocation)).to.equal(!removed)
    })
  }

  it('tells what it would remove in a dry run, and removes nothing', async () => {
    const { driver, grant } = await depositedGrant(now - 2 * day)
    const told: string[] = []
    const report = await sweep({ driver, now, dryRun: true, onRemove: (key) => told.push(key) })
    expect(report.grants).to.equal(1)
    expect(told).to.deep.equal([grant])
    expect(await exists(driver, grant)).to.equal(true)
  })

  it('goes by what the owner signed, not by what somebody wrote beside it', async () => {
    const { driver, grant } = await depositedGrant(now + day)
    const found = await driver.read(grant)
    const blob = JSON.parse(Buffer.concat((await found?.body.toArray()) ?? []).toString()) as object
    await put(driver, grant, JSON.stringify({ ...blob, expiration: 1 }))
    expect((await run(driver)).grants).to.equal(0)
  })

  it('leaves and counts what it cannot read', async () => {
    const driver = memoryDriver()
    for (const content of ['', '{', '[]', '{"ucan":"a.b.c"}', '{"expiration":"1"}']) {
      await put(driver, authKey(address, `grants/${content.length}.json`), content)
      await put(driver, authKey(address, `revocations/${content.length}.json`), content)
    }
    const report = await run(driver)
    expect(report).to.include({ grants: 0, revocations: 0, records: 10, unreadable: 10 })
  })

  it('touches neither files nor timestamps', async () => {
    const driver = memoryDriver()
    const kept = [fileKey(address, parsePath('grants/a.json')), authKey(address, 'authTimestamp')]
    for (const key of kept) await put(driver, key, '{"expiration":1}')
    await run(driver)
    for (const key of kept) expect(await exists(driver, key), key).to.equal(true)
  })
})

function run(driver: Driver): Promise<SweepReport> {
  return sweep({ driver, now, dryRun: false })
}

function token(expiration: number | null): string {
  return mint({
    version: '0.10.0',
    issuer: alice,
    audience: bob,
    capabilities: [{ with: `gaia://${alice.address}/`, can: 'gaia/store' }],
    expiration,
  })
}

async function depositedGrant(expiration: number | null): Promise<{ driver: Driver; grant: Key }> {
  const driver = memoryDriver()
  const ucan = token(expiration)
  const cid = cidOf(ucan)
  const store = authorityStore({ driver, cacheSize: 10, revocationMaxAgeSeconds: 5 })
  await store.deposit(address, { cid, ucan, proofs: [], audience: bob.did, depositedAt: now - 9 * day })
  return { driver, grant: authKey(address, `grants/${cid}.json`) }
}

async function storedRevocation(expiration: number | null): Promise<{ driver: Driver; revocation: Key }> {
  const driver = memoryDriver()
  const ucan = token(expiration)
  const revocationId = revocationIdOf(ucan)
  const store = authorityStore({ driver, cacheSize: 10, revocationMaxAgeSeconds: 5 })
  await store.revoke(address, {
    revocationId,
    cid: cidOf(ucan),
    revokedBy: alice.did,
    revokedAt: now - 9 * day,
    expiration,
  })
  return { driver, revocation: authKey(address, `revocations/${revocationId}.json`) }
}

async function put(driver: Driver, key: Key, content: string): Promise<void> {
  await driver.write(key, Readable.from([Buffer.from(content)]), { contentType: 'application/json' })
}

async function exists(driver: Driver, key: Key): Promise<boolean> {
  return (await driver.stat(key)) !== null
}
