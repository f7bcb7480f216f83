import { expect } from 'chai'
import type { Driver, ListEntry } from '../driver.ts'
import type { Key } from '../key.ts'
import { bucket, failure, key, put, type Suite } from './harness.ts'

/**
 * A slash comes after `!`, `-` and `.` and before `0`; U+FFFD before everything astral. No name is a folder of
 * another one: not every backend can hold both.
 */
const ordered = [
  'a!',
  'a-b',
  'a.txt',
  'a/!',
  'a/b/c!',
  'a/bb',
  'a0',
  'aa',
  'b',
  `long/${'x'.repeat(200)}`,
  `long/${'x'.repeat(255)}`,
  `long/${'x'.repeat(200)}${'!'.repeat(100)}`,
  `long/${'x'.repeat(300)}`,
  'z/z/z',
  'é',
  '\uff5e',
  '\ufffd',
  '\u{10000}',
  '\u{1f600}/x',
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const prefixes = [
  '',
  'a',
  'a/',
  'a/b/',
  'a/b/c',
  'a.',
  'a0',
  'long/xx',
  `long/${'x'.repeat(240)}`,
  'z/z/z',
  'z/z/z/',
  'q',
  'q/',
  '\u{1f600}',
]

/** Pages of names. */
export function describeLists({ test, testShared }: Suite): void {
  describe('lists', () => {
    test('nothing is listed where nothing is', async ({ driver }) => {
      for (const prefix of ['', 'a', 'a/', 'a/b/c']) {
        const page = await driver.list(`${bucket}/${prefix}`, { limit: 10, cursor: null })
        expect(page).to.deep.equal({ entries: [], cursor: null })
      }
    })

    test('names come in the byte order of their keys, whatever the prefix and the size of the page', async ({
      driver,
    }) => {
      await Promise.all(ordered.map((path) => put(driver, key(path), path)))
      for (const prefix of prefixes) {
        const wanted = ordered.filter((path) => path.startsWith(prefix))
        for (const limit of [1, 2, 3, 7, wanted.length, wanted.length + 1, 4096]) {
          if (limit < 1) continue
          const { names, pages } = await walk(driver, prefix, limit)
          expect(names, `prefix ${prefix}, limit ${limit}`).to.deep.equal(wanted)
          for (const page of pages) expect(page.length).to.be.at.most(limit)
        }
      }
    })

    test('names of other addresses are never among them', async ({ driver }) => {
      await put(driver, key('x'), 'mine')
      for (const other of [`${bucket}0/x`, `${bucket}-auth/x`, `${bucket.slice(0, -1)}/x`]) {
        await put(driver, other as Key, 'theirs')
      }
      expect((await walk(driver, '', 10)).names).to.deep.equal(['x'])
    })

    test('with stat each entry says what stat says', async ({ driver }) => {
      for (let i = 0; i < 12; i++)
        await put(driver, key(`s/${i}`), 'x'.repeat(i), { contentType: `text/${i}` })
      const page = await driver.list(`${bucket}/s/`, { limit: 10, cursor: null, stat: true })
      expect(page.entries).to.have.length(10)
      for (const entry of page.entries) expect(entry.info).to.deep.equal(await driver.stat(entry.key))
      const rest = await driver.list(`${bucket}/s/`, { limit: 10, cursor: page.cursor, stat: true })
      expect(rest.entries.map(({ info }) => info?.size)).to.deep.equal([8, 9])
    })

    test('the last page has no cursor, also when it is full', async ({ driver }) => {
      for (const name of ['a', 'b', 'c', 'd']) await put(driver, key(name), name)
      const first = await driver.list(`${bucket}/`, { limit: 2, cursor: null })
      expect(first.cursor).to.match(/^[\x21-\x7e]{1,4096}$/)
      const second = await driver.list(`${bucket}/`, { limit: 2, cursor: first.cursor })
      expect(second.entries).to.have.length(2)
      expect(second.cursor).to.equal(null)
    })

    test('a cursor goes on after its place though files come and go', async ({ driver }) => {
      const names = Array.from({ length: 30 }, (_, i) => `n${String(i).padStart(2, '0')}`)
      for (const name of names) await put(driver, key(name), name)
      const seen: string[] = []
      let cursor: string | null = null
      let round = 0
      do {
        const page = await driver.list(`${bucket}/`, { limit: 4, cursor })
        if (page.cursor !== null) expect(page.entries).to.not.have.length(0)
        seen.push(...namesOf(page.entries))
        cursor = page.cursor
        // The last name seen goes, one far ahead goes, one behind and one ahead come.
        const last = seen.at(-1)
        if (last !== undefined && names.includes(last)) await driver.delete(key(last))
        await put(driver, key(`a${round}`), 'behind')
        await put(driver, key(`n${String(round * 4 + 5).padStart(2, '0')}x`), 'ahead')
        round++
      } while (cursor !== null)
      expect(names.filter((name) => !seen.includes(name))).to.deep.equal([])
      expect(new Set(seen).size).to.equal(seen.length)
      expect(seen.filter((name) => name.startsWith('a'))).to.deep.equal([])
    })

    test('a page is never empty where another follows, though everything after the first one is deleted', async ({
      driver,
    }) => {
      for (let i = 0; i < 9; i++) await put(driver, key(`e/${i}/file`), 'x')
      const first = await driver.list(`${bucket}/e/`, { limit: 3, cursor: null })
      for (let i = 3; i < 9; i++) await driver.delete(key(`e/${i}/file`))
      const rest = await driver.list(`${bucket}/e/`, { limit: 3, cursor: first.cursor, stat: true })
      expect(rest).to.deep.equal({ entries: [], cursor: null })
    })

    testShared('a cursor is good at every instance', async ({ driver }, other) => {
      for (let i = 0; i < 6; i++) await put(driver, key(`c/${i}`), 'x')
      const first = await driver.list(`${bucket}/c/`, { limit: 3, cursor: null })
      const rest = await other.list(`${bucket}/c/`, { limit: 3, cursor: first.cursor })
      expect(namesOf([...first.entries, ...rest.entries])).to.deep.equal([
        'c/0',
        'c/1',
        'c/2',
        'c/3',
        'c/4',
        'c/5',
      ])
    })

    for (const cursor of ['', 'x', '!!!!', 'AAAA', '%00', 'a b', '1', '\u{1f600}', 'x'.repeat(5000)]) {
      test(`a cursor that no page gave is refused: ${JSON.stringify(cursor.slice(0, 12))}`, async ({
        driver,
      }) => {
        await put(driver, key('a'), 'x')
        await failure(driver.list(`${bucket}/`, { limit: 1, cursor }), 'invalid_cursor')
      })
    }

    test('a cursor of another listing is refused', async ({ driver }) => {
      for (const name of ['a/1', 'a/2', 'b/1', 'b/2']) await put(driver, key(name), 'x')
      const { cursor } = await driver.list(`${bucket}/a/`, { limit: 1, cursor: null })
      await failure(driver.list(`${bucket}/b/`, { limit: 1, cursor }), 'invalid_cursor')
    })

    test('a list taken during writes holds what was there all the time', async ({ driver }) => {
      for (let i = 0; i < 20; i++) await put(driver, key(`w/keep-${i}`), 'x')
      const churn = (async () => {
        for (let i = 0; i < 15; i++) {
          await put(driver, key(`w/come-${i}`), 'x')
          await put(driver, key(`w/keep-${i}`), 'again')
          await driver.delete(key(`w/come-${i}`))
        }
      })()
      for (let i = 0; i < 10; i++) {
        const { names } = await walk(driver, 'w/', 6, true)
        expect(names.filter((name) => name.startsWith('w/keep-'))).to.have.length(20)
        expect(new Set(names).size).to.equal(names.length)
      }
      await churn
    })
  })
}

async function walk(driver: Driver, prefix: string, limit: number, stat = false) {
  const pages: ListEntry[][] = []
  let cursor: string | null = null
  do {
    const page = await driver.list(`${bucket}/${prefix}`, { limit, cursor, stat })
    if (page.cursor !== null) expect(page.entries, 'an empty page with a cursor').to.not.have.length(0)
    expect(page.cursor === null || page.cursor !== cursor, 'a cursor that does not move').to.equal(true)
    pages.push(page.entries)
    cursor = page.cursor
  } while (cursor !== null)
  return { names: namesOf(pages.flat()), pages }
}

function namesOf(entries: readonly ListEntry[]): string[] {
  return entries.map((entry) => entry.key.slice(bucket.length + 1))
}
