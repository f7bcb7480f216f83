import { Readable } from 'node:stream'
import { expect } from 'chai'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { authKey, parseAddress } from '../../../drivers/key.ts'
import { memoryDriver } from '../../../drivers/memory.ts'
import { authorityStore } from '../../../hub/auth/authority-store.ts'
import { type FaultyDriver, faultyDriver, gate } from '../faulty-driver.ts'
import { alice, bob } from '../people.ts'

const address = parseAddress(alice.address)
const other = parseAddress(bob.address)
const timestampKey = authKey(address, 'authTimestamp')

function open(driver: Driver, revocationMaxAgeSeconds = 3600) {
  return authorityStore({ driver, cacheSize: 100, revocationMaxAgeSeconds })
}

const aRevocation = { cid: 'b', revokedBy: 'did:key:z', revokedAt: 1, expiration: null }

function hexId(number: number): string {
  return number.toString(16).padStart(64, '0')
}

async function codeOf(outcome: unknown): Promise<string> {
  try {
    await outcome
  } catch (error) {
    if (error instanceof DriverError) return error.code
    throw error
  }
  throw new Error('it did not fail')
}

describe('the store of what owners have said', () => {
  let driver: FaultyDriver
  beforeEach(() => {
    driver = faultyDriver(memoryDriver())
  })
  const reads = () => driver.calls.filter((call) => call.startsWith('read')).length

  it('knows no timestamp where none was set, and asks for that once', async () => {
    const store = open(driver)
    for (let i = 0; i < 5; i++) expect(await store.oldestValidSeconds(address)).to.equal(null)
    expect(reads()).to.equal(1)
  })

  it('asks once for look-ups that are made at the same time', async () => {
    const store = open(driver)
    await Promise.all(Array.from({ length: 50 }, async () => store.oldestValidSeconds(address)))
    expect(reads()).to.equal(1)
  })

  it('asks every time where nothing may go unseen', async () => {
    const store = open(driver, 0)
    await store.oldestValidSeconds(address)
    await store.oldestValidSeconds(address)
    expect(reads()).to.equal(2)
  })

  it('knows what it has raised at once, and other stores after their age', async () => {
    const [here, there] = [open(driver), open(driver, 0)]
    expect(await here.oldestValidSeconds(address)).to.equal(null)
    await here.raiseOldestValid(address, 100)
    expect(await here.oldestValidSeconds(address)).to.equal(100)
    expect(await there.oldestValidSeconds(address)).to.equal(100)
    expect(await here.oldestValidSeconds(other)).to.equal(null)
  })

  it('does not lower a timestamp, and learns the one in force instead', async () => {
    const [here, there] = [open(driver), open(driver)]
    await here.oldestValidSeconds(address)
    await there.raiseOldestValid(address, 100)
    await here.raiseOldestValid(address, 50)
    expect(await here.oldestValidSeconds(address)).to.equal(100)
  })

  it('never lets a slow read undo a revocation of this hub', async () => {
    const store = open(driver)
    const slow = gate()
    const lift = driver.inject('read', slow.fault, (key) => key === timestampKey)
    const early = store.oldestValidSeconds(address)
    await slow.reached
    lift()
    // The slow read finds nothing: by the time that it does, the record is hidden from it.
    await store.raiseOldestValid(address, 100)
    await driver.delete(timestampKey)
    slow.open()
    expect(await early).to.equal(100)
    expect(await store.oldestValidSeconds(address)).to.equal(100)
  })

  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ] as const) {
    it(`ends at the higher of two that two hubs raise at the same time: ${first} and ${second}`, async () => {
      const [here, there] = [open(driver), open(driver)]
      await Promise.all([here.raiseOldestValid(address, first), there.raiseOldestValid(address, second)])
      expect(await open(driver).oldestValidSeconds(address)).to.equal(2)
      expect(await here.oldestValidSeconds(address)).to.be.at.least(first)
      expect(await there.oldestValidSeconds(address)).to.be.at.least(second)
    })
  }

  for (const [others, expected] of [
    [50, 100],
    [200, 200],
  ] as const) {
    it(`keeps the higher when another hub writes ${others} in between`, async () => {
      const [here, there] = [open(driver), open(driver)]
      let isRaced = false
      driver.inject('write', async () => {
        if (isRaced) return
        isRaced = true
        await there.raiseOldestValid(address, others)
      })
      await here.raiseOldestValid(address, 100)
      expect(await here.oldestValidSeconds(address)).to.equal(expected)
      expect(await open(driver).oldestValidSeconds(address)).to.equal(expected)
    })
  }

  it('gives up as busy where it never wins', async () => {
    driver.inject('write', () => {
      throw new DriverError('precondition_failed', 'another version is stored now')
    })
    expect(await codeOf(open(driver).raiseOldestValid(address, 100))).to.equal('busy')
  })

  it('rejects where storage fails, remembers nothing of it, and answers again when it is back', async () => {
    const store = open(driver)
    const away = () => {
      throw new DriverError('unavailable', 'no answer')
    }
    const lifts = [driver.inject('read', away), driver.inject('list', away)]
    expect(await codeOf(store.oldestValidSeconds(address))).to.equal('unavailable')
    expect(await codeOf(store.raiseOldestValid(address, 1))).to.equal('unavailable')
    expect(await codeOf(store.isRevoked(address, 'a'.repeat(64)))).to.equal('unavailable')
    for (const lift of lifts) lift()
    expect(await store.oldestValidSeconds(address)).to.equal(null)
    expect(await store.isRevoked(address, 'a'.repeat(64))).to.equal(false)
  })

  it('keeps a revocation for good, at every hub, and of that delegation at that address alone', async () => {
    const [here, there] = [open(driver), open(driver, 0)]
    const revocationId = 'a'.repeat(64)
    const revocation = { ...aRevocation, revocationId }
    expect(await here.isRevoked(address, revocationId)).to.equal(false)
    await here.revoke(address, revocation)
    await there.revoke(address, { ...revocation, revokedAt: 2 })
    for (const store of [here, there, open(driver)]) {
      expect(await store.isRevoked(address, revocationId)).to.equal(true)
      expect(await store.isRevoked(address, 'b'.repeat(64))).to.equal(false)
      expect(await store.isRevoked(other, revocationId)).to.equal(false)
    }
  })

  it('lists the revocations of an address once, however many delegations are looked up', async () => {
    const store = open(driver)
    for (let i = 0; i < 50; i++) expect(await store.isRevoked(address, hexId(i))).to.equal(false)
    expect(driver.calls).to.deep.equal([`list ${address}-auth/revocations/`])
  })

  it('finds each of more revocations than one listing tells, and only those', async () => {
    const count = 1010
    for (let i = 0; i < count; i++) {
      await driver.write(
        authKey(address, `revocations/${hexId(i)}.json`),
        Readable.from([Buffer.from('{}')]),
        {
          contentType: 'application/json',
        },
      )
    }
    const store = open(driver)
    for (let i = 0; i < count; i++) expect(await store.isRevoked(address, hexId(i))).to.equal(true)
    expect(await store.isRevoked(address, hexId(count))).to.equal(false)
    await store.revoke(address, { ...aRevocation, revocationId: hexId(count) })
    expect(await store.isRevoked(address, hexId(count))).to.equal(true)
  })

  it('never lets a slow listing undo a revocation of this hub', async () => {
    const store = open(driver)
    const slow = gate()
    const lift = driver.inject('list', slow.fault)
    const early = store.isRevoked(address, hexId(1))
    await slow.reached
    lift()
    await store.revoke(address, { ...aRevocation, revocationId: hexId(1) })
    await driver.delete(authKey(address, `revocations/${hexId(1)}.json`))
    slow.open()
    expect(await early).to.equal(true)
    expect(await store.isRevoked(address, hexId(1))).to.equal(true)
  })

  it('rejects with a record that says nothing', async () => {
    await driver.write(timestampKey, Readable.from([Buffer.from('soon')]), { contentType: 'text/plain' })
    expect(await codeOf(open(driver).oldestValidSeconds(address))).to.equal('backend')
  })
})
