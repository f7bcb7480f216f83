import { expect } from 'chai'
import type { Driver } from '../driver.ts'
import { authKey, fileKey, parseAddress, parsePath } from '../key.ts'
import { failure, put, type Suite } from './harness.ts'

const names = ['1Alice-auth', '1Alice', '1Bob', 'zDnCarol-auth', 'zDnCarol']

/** Names of buckets. */
export function describeBuckets({ test }: Suite): void {
  describe('buckets', () => {
    test('there are none where nothing is', async ({ driver }) => {
      expect(await driver.listBuckets({ limit: 10, cursor: null })).to.deep.equal({
        buckets: [],
        cursor: null,
      })
    })

    test('each that holds anything is named once, in order, whatever the size of the page', async ({
      driver,
    }) => {
      for (const name of names) await fill(driver, name)
      for (const limit of [1, 2, 5, 100])
        expect(await all(driver, limit), `limit ${limit}`).to.deep.equal(names)
    })

    test('one whose last object went is not named any more', async ({ driver }) => {
      await fill(driver, '1Alice')
      await fill(driver, '1Bob')
      for (const path of ['a', 'b/c', 'd/e/f'])
        await driver.delete(fileKey(parseAddress('1Alice'), parsePath(path)))
      expect(await all(driver, 10)).to.deep.equal(['1Bob'])
    })

    test('a cursor that is none is refused', async ({ driver }) => {
      for (const cursor of ['', '../x', 'a b', 'x'.repeat(5000)]) {
        await failure(driver.listBuckets({ limit: 1, cursor }), 'invalid_cursor')
      }
    })
  })
}

async function fill(driver: Driver, bucket: string): Promise<void> {
  const address = parseAddress(bucket.replace(/-auth$/, ''))
  for (const path of ['a', 'b/c', 'd/e/f']) {
    const key = bucket.endsWith('-auth') ? authKey(address, path) : fileKey(address, parsePath(path))
    await put(driver, key, 'x')
  }
}

async function all(driver: Driver, limit: number): Promise<string[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Driver['listBuckets']>> = await driver.listBuckets({ limit, cursor })
    found.push(...page.buckets)
    cursor = page.cursor
  } while (cursor !== null)
  return found
}
