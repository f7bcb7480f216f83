import { join } from 'node:path'
import { expect } from 'chai'
import type { Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { newFolder, removeFolders, runCopying } from './copying.ts'
import { alice, altered, bob, contentOf, fill, put, textAt, twoOwners } from './stores.ts'

const timestamp = `${alice}-auth/authTimestamp`
const grant = `${alice}-auth/grants/bafkreigrant.json`
const revocation = `${alice}-auth/revocations/${'ab'.repeat(32)}.json`

describe('copying what owners have said', () => {
  let source: Driver
  let target: Driver
  let ledger: string

  beforeEach(async () => {
    source = memoryDriver()
    target = memoryDriver()
    ledger = join(await newFolder(), 'record')
    await fill(source, twoOwners)
  })
  afterEach(removeFolders)

  /** Names in the order in which they were written. */
  function noting(driver: Driver): { driver: Driver; written: string[]; at: Map<string, number> } {
    const written: string[] = []
    const at = new Map<string, number>()
    const watched = altered(driver, {
      async write(key, body, options) {
        const info = await driver.write(key, body, options)
        written.push(key)
        at.set(key, performance.now())
        return info
      },
    })
    return { driver: watched, written, at }
  }

  function unreadable(driver: Driver): Driver {
    return altered(driver, {
      async read(key, options) {
        if (key === timestamp) throw new DriverError('backend', 'not now')
        return await driver.read(key, options)
      },
    })
  }

  it('writes what ends rights first, of every address, then grants, then files', async () => {
    await put(source, `${bob}-auth/revocations/${'cd'.repeat(32)}.json`, '{}')
    const { driver, written } = noting(target)
    await runCopying(source, driver, ledger)
    const rank = (name: string) =>
      /revocations|authTimestamp/.test(name) ? 0 : name.includes('/grants/') ? 1 : 2
    const ofAlice = written.filter((name) => name.startsWith(alice)).map(rank)
    expect(ofAlice).to.deep.equal([...ofAlice].sort((a, b) => a - b))
    expect(written.slice(0, 3).map(rank)).to.deep.equal([0, 0, 0])
  })

  it('waits before the grants until every hub at the destination has heard of the revocations', async () => {
    const { driver, at } = noting(target)
    await runCopying(source, driver, ledger, { settleMs: 300 })
    expect((at.get(grant) ?? 0) - (at.get(revocation) ?? 0)).to.be.at.least(299)
    const began = performance.now()
    await runCopying(source, driver, ledger, { settleMs: 60_000 })
    expect(performance.now() - began).to.be.below(10_000)
  })

  it('waits too where a revocation is made while it waits', async () => {
    const late = `${alice}-auth/revocations/${'ef'.repeat(32)}.json`
    const { driver, at } = noting(target)
    let seen = 0
    const revoking = altered(source, {
      async list(prefix, options) {
        // The second look at the revocations.
        if (prefix === `${alice}-auth/revocations/` && ++seen === 2) await put(source, late, '{}')
        return await source.list(prefix, options)
      },
    })
    await runCopying(revoking, driver, ledger, { settleMs: 200 })
    expect((at.get(grant) ?? 0) - (at.get(late) ?? 0)).to.be.at.least(199)
  })

  it('brings over a revocation that is made while the files are copied', async () => {
    const late = `${alice}-auth/revocations/${'ef'.repeat(32)}.json`
    const slow = altered(source, {
      async read(key, options) {
        if (key.startsWith(`${alice}/`)) await put(source, late, '{"late":true}')
        return await source.read(key, options)
      },
    })
    const { of } = await runCopying(slow, target, ledger)
    expect(of(late)).to.equal('copied')
    expect(await textAt(target, late)).to.equal('{"late":true}')
  })

  it('leaves a grant that comes after the list of grants for another run: its revocation might be missed', async () => {
    const late = `${alice}-auth/grants/bafkreilate.json`
    let looks = 0
    const granting = altered(source, {
      async list(prefix, options) {
        // The first look at revocations is that at all owners' before anything else; the second, after the grants.
        if (prefix === `${alice}-auth/revocations/` && ++looks === 2) await put(source, late, '{}')
        return await source.list(prefix, options)
      },
    })
    await runCopying(granting, target, ledger)
    expect([await textAt(target, grant), await textAt(target, late)]).to.deep.equal([
      await textAt(source, grant),
      null,
    ])
    await runCopying(source, target, ledger)
    expect(await textAt(target, late)).to.equal('{}')
  })

  for (const [there, after, action] of [
    ['1600000000', '1700000000', 'updated'],
    ['1700000000', '1700000000', 'there'],
    ['1800000000', '1800000000', 'there'],
  ] as const) {
    it(`leaves the timestamp at ${after} where the destination has ${there} and the source 1700000000`, async () => {
      await put(target, timestamp, there)
      const { of } = await runCopying(source, target, ledger, { overwrite: true, deleteGone: true })
      expect(await textAt(target, timestamp)).to.equal(after)
      expect(of(timestamp)).to.equal(action)
    })
  }

  for (const there of [null, '1600000000', '1800000000']) {
    it(`brings over a timestamp that is no number, which ends all writing, where the destination has ${there ?? 'none'}`, async () => {
      await put(source, timestamp, 'frozen\n')
      if (there !== null) await put(target, timestamp, there)
      const dry = await runCopying(source, target, ledger, { dryRun: true })
      expect(await textAt(target, timestamp)).to.equal(there)
      const { of } = await runCopying(source, target, ledger)
      expect(await textAt(target, timestamp)).to.equal('frozen\n')
      expect([dry.of(timestamp), of(timestamp)]).to.deep.equal(
        Array(2).fill(there === null ? 'copied' : 'updated'),
      )
      expect(await textAt(target, `${alice}/notes/a.txt`)).to.equal('now')
      expect((await runCopying(source, target, ledger)).of(timestamp)).to.equal('there')
    })
  }

  it('puts no number in the place of one that is none, and tells of it once', async () => {
    await put(target, timestamp, 'frozen')
    const { report, events, of } = await runCopying(source, target, ledger, {
      overwrite: true,
      deleteGone: true,
    })
    expect(await textAt(target, timestamp)).to.equal('frozen')
    expect(of(timestamp)).to.match(/^conflict: no number is at the destination/)
    expect(events.filter(({ key }) => key === timestamp)).to.have.lengthOf(1)
    expect(report).to.deep.include({ addresses: 2, failedAddresses: 0 })
  })

  it('copies a long timestamp that is no number whole', async () => {
    const long = 'closed by the operator, '.repeat(10)
    await put(source, timestamp, long)
    await runCopying(source, target, ledger)
    expect(await textAt(target, timestamp)).to.equal(long)
  })

  it('lowers nothing where a number takes the place of one that is none as it is copied', async () => {
    await put(source, timestamp, 'frozen')
    await put(target, timestamp, '1800000000')
    const changing = altered(source, {
      async read(key, options) {
        if (key === timestamp && options?.ifMatch !== undefined) await put(source, timestamp, '1600000000')
        return await source.read(key, options)
      },
    })
    const { of } = await runCopying(changing, target, ledger)
    expect(await textAt(target, timestamp)).to.equal('1800000000')
    expect(of(alice)).to.match(/^failed: /)
  })

  it('does not lower a timestamp that a hub at the destination raises at the same instant', async () => {
    const racing = altered(target, {
      async write(key, body, options) {
        if (key === timestamp) await put(target, timestamp, '1900000000')
        return await target.write(key, body, options)
      },
    })
    await runCopying(source, racing, ledger)
    expect(await textAt(target, timestamp)).to.equal('1900000000')
  })

  it('never takes away or replaces a revocation or a grant of the destination', async () => {
    const own = `${alice}-auth/revocations/${'99'.repeat(32)}.json`
    await put(target, own, '{"own":1}')
    await put(target, revocation, '{"theirs":1}')
    await put(target, grant, '{"theirs":2}')
    await runCopying(source, target, ledger, { overwrite: true, deleteGone: true })
    await source.delete(parseKey(revocation))
    await source.delete(parseKey(grant))
    await runCopying(source, target, ledger, { overwrite: true, deleteGone: true })
    expect(await textAt(target, own)).to.equal('{"own":1}')
    expect(await textAt(target, revocation)).to.equal('{"theirs":1}')
    expect(await textAt(target, grant)).to.equal('{"theirs":2}')
  })

  it('carries over a record of a kind that it does not know, and replaces none', async () => {
    const odd = `${alice}-auth/future/thing`
    await put(source, odd, 'ours')
    expect((await runCopying(source, target, ledger)).of(odd)).to.equal('copied')
    await put(target, odd, 'theirs')
    const { of, report } = await runCopying(source, target, ledger, { overwrite: true })
    expect(of(odd)).to.match(/^conflict/)
    expect(report.records.conflict).to.equal(1)
    expect(await textAt(target, odd)).to.equal('theirs')
  })

  const broken: ReadonlyArray<readonly [title: string, breakIt: () => Promise<Driver>]> = [
    [
      'a revocation cannot be written',
      async () =>
        altered(target, {
          async write(key, body, options) {
            if (key !== revocation) return await target.write(key, body, options)
            body.destroy()
            throw new DriverError('unavailable', 'not now')
          },
        }),
    ],
    [
      'the timestamp of the source cannot be read',
      async () => {
        source = unreadable(source)
        return target
      },
    ],
    ['the timestamp of the destination cannot be read', async () => unreadable(target)],
  ]
  for (const [title, breakIt] of broken) {
    it(`brings over neither grants nor files of an owner where ${title}; others go on`, async () => {
      const destination = await breakIt()
      const { of, report } = await runCopying(source, destination, ledger)
      expect(of(alice)).to.match(/^failed: /)
      expect(report).to.deep.include({ addresses: 1, failedAddresses: 1 })
      const names = Object.keys(await contentOf(target))
      expect(names.filter((name) => /grants/.test(name) || name.startsWith(`${alice}/`))).to.deep.equal([])
      expect(names).to.include(`${bob}/photo`)
    })
  }

  it('says so where a record does not arrive as it was sent', async () => {
    const spoiling = altered(target, {
      async read(key, options) {
        const found = await target.read(key, options)
        if (found !== null && key === grant) found.info = { ...found.info, contentType: 'a/b' }
        return found
      },
    })
    const { of } = await runCopying(source, spoiling, ledger)
    expect(of(alice)).to.match(/^failed: the destination gave back another content type/)
  })
})
