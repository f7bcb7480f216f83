import { expect } from 'chai'
import { azureDriver } from '../../drivers/azure/index.ts'
import { bucket, key, put } from '../../drivers/conformance/harness.ts'
import type { Driver } from '../../drivers/driver.ts'
import { compareKeys } from '../../drivers/key.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { type AzureStorage, azureStorage } from './azure-harness.ts'

/** Sorts before, within and after the surrogates of UTF-16, and beside a slash. */
const letters = ['!', '/', 'é', '\uffee', '\u{1f600}']

/** All names of two letters below each of some stems: every way in which the two orders can part. */
const names = ['', 'a', '\u{1f600}\uff5e']
  .flatMap((stem) => letters.flatMap((x) => ['x', '\uffee', '\u{1f600}'].map((y) => `${stem}${x}${y}`)))
  .filter((name) => !name.startsWith('/') && !name.includes('//'))

describe('azure, lists', () => {
  let storage: AzureStorage
  before(async () => {
    storage = await azureStorage(await sharedAzurite())
  })
  afterEach(() => storage.empty())
  after(() => storage.close())

  async function fill(paths: readonly string[]): Promise<void> {
    for (const path of paths) await put(storage.driver, key(path), 'x')
  }

  /** Names in the order in which they come, with something done between the pages. */
  async function walk(
    driver: Driver,
    prefix: string,
    limit: number,
    between: (seen: readonly string[]) => Promise<unknown> = async () => undefined,
  ): Promise<string[]> {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Driver['list']>> = await driver.list(`${bucket}/${prefix}`, {
        limit,
        cursor,
      })
      if (page.cursor !== null) expect(page.entries).to.not.have.length(0)
      seen.push(...page.entries.map((entry) => entry.key.slice(bucket.length + 1)))
      cursor = page.cursor
      if (cursor !== null) await between(seen)
    } while (cursor !== null)
    return seen
  }

  it('come in the order of UTF-8 where the service has that of UTF-16, whatever the page', async () => {
    await fill(names)
    const sorted = [...names].sort(compareKeys)
    expect(sorted).to.not.deep.equal([...names].sort())
    for (const prefix of ['', 'a', '\u{1f600}', '\u{1f600}\uff5e']) {
      const wanted = sorted.filter((name) => name.startsWith(prefix))
      for (const limit of [1, 4, 4096]) {
        expect(await walk(storage.driver, prefix, limit), `${prefix} by ${limit}`).to.deep.equal(wanted)
      }
    }
  })

  it('tell each name that stays exactly once while others come and go around the places of pages', async () => {
    await fill(names)
    const sorted = [...names].sort(compareKeys)
    for (const limit of [2, 5]) {
      let round = 0
      const gone = new Set<string>()
      const seen = await walk(storage.driver, '', limit, async (so) => {
        // What was told last goes, and what would come next at times; something comes on both sides.
        const last = so.at(-1) ?? ''
        const next = sorted[sorted.indexOf(last) + 2]
        for (const name of [last, round % 3 === 0 ? next : undefined]) {
          if (name === undefined || !sorted.includes(name) || gone.has(name)) continue
          gone.add(name)
          await storage.driver.delete(key(name))
        }
        for (const letter of ['\uffed', '\u{1f601}']) await put(storage.driver, key(`${letter}${round}`), 'x')
        round++
      })
      expect(new Set(seen).size, 'told twice').to.equal(seen.length)
      expect(
        names.filter((name) => !gone.has(name) && !seen.includes(name)),
        'left out',
      ).to.deep.equal([])
      expect(seen, 'order').to.deep.equal([...seen].sort(compareKeys))
      await fill([...gone])
    }
  })

  it('go on after their place though what made it a run has gone', async () => {
    await fill(['\u{1f600}', '\uffee1', '\uffee2'])
    const seen = await walk(storage.driver, '', 1, () =>
      storage.driver.delete(key('\u{1f600}')).catch(() => undefined),
    )
    expect(seen).to.deep.equal(['\uffee1', '\uffee2'])
  })

  for (const [title, change] of [
    ['loses a name', (driver: Driver) => driver.delete(key('a\u{1f600}1'))],
    ['gets a name', (driver: Driver) => put(driver, key('a\u{1f600}0'), 'x')],
    [
      'goes as a whole',
      (driver: Driver) => Promise.all([1, 2].map((i) => driver.delete(key(`a\u{1f600}${i}`)))),
    ],
  ] as ReadonlyArray<readonly [string, (driver: Driver) => Promise<unknown>]>) {
    for (const request of [2, 3]) {
      it(`leave nothing out and tell nothing twice where a run ${title} before request ${request} for it`, async () => {
        await fill(['a\u{1f600}1', 'a\u{1f600}2', 'b', 'c'])
        const proxy = await FaultyProxy.start((await sharedAzurite()).endpoint)
        const driver = await azureDriver({ ...storage.options, endpoint: proxy.url })
        let lists = 0
        proxy.decide = async () => {
          if (++lists === request) await change(storage.driver)
          return { do: 'pass' }
        }
        try {
          const seen = await walk(driver, '', 10)
          expect(seen.slice(-2)).to.deep.equal(['b', 'c'])
          expect(new Set(seen).size).to.equal(seen.length)
          expect(lists).to.be.at.least(request)
        } finally {
          await driver.close()
          await proxy.stop()
        }
      })
    }
  }

  it('have cursors that fit, also within a run of the longest names', async () => {
    const long = Array.from({ length: 3 }, (_, i) => `${'\u{1f600}'.repeat(255)}${i}`)
    await fill([...long, '\uffee'.repeat(300)])
    let longest = 0
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Driver['list']>> = await storage.driver.list(`${bucket}/`, {
        limit: 1,
        cursor,
      })
      cursor = page.cursor
      longest = Math.max(longest, cursor?.length ?? 0)
    } while (cursor !== null)
    expect(longest).to.be.within(1000, 4096)
  })

  it('read a run of many names in as many pages of the service as it has', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(storage.driver, key(`\u{1f600}${i}`), 'x')))
    await fill(['\uffee', 'a'])
    const seen = await walk(storage.driver, '', 100)
    expect(seen).to.have.length(302)
    expect(seen.slice(0, 3)).to.deep.equal(['a', '\uffee', '\u{1f600}0'])
  })
})
