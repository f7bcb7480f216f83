import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { ReadRange } from '../driver.ts'
import { failure, key, put, type Suite } from './harness.ts'

const content = '0123456789'
const at = key('ranged')

const satisfiable: ReadonlyArray<readonly [range: ReadRange, first: number, last: number]> = [
  [{ first: 0, last: 0 }, 0, 0],
  [{ first: 0, last: 9 }, 0, 9],
  [{ first: 2, last: 5 }, 2, 5],
  [{ first: 9, last: 9 }, 9, 9],
  [{ first: 0 }, 0, 9],
  [{ first: 4 }, 4, 9],
  [{ first: 9 }, 9, 9],
  [{ first: 4, last: 10 }, 4, 9],
  [{ first: 4, last: Number.MAX_SAFE_INTEGER }, 4, 9],
  [{ suffix: 1 }, 9, 9],
  [{ suffix: 3 }, 7, 9],
  [{ suffix: 10 }, 0, 9],
  [{ suffix: 11 }, 0, 9],
  [{ suffix: Number.MAX_SAFE_INTEGER }, 0, 9],
]

const unsatisfiable: readonly ReadRange[] = [
  { first: 10 },
  { first: 10, last: 10 },
  { first: 11, last: 20 },
  { first: Number.MAX_SAFE_INTEGER },
]

/** Parts of an object (RFC 9110, 14), and reading one version only. */
export function describeRanges({ test }: Suite): void {
  describe('ranges', () => {
    for (const [range, first, last] of satisfiable) {
      test(`${JSON.stringify(range)} of ten bytes is ${first} to ${last}`, async ({ driver }) => {
        const written = await put(driver, at, content)
        const result = await driver.read(at, { range })
        expect(result?.info).to.deep.equal(written)
        expect(result?.range).to.deep.equal({ first, last })
        expect(result && (await text(result.body))).to.equal(content.slice(first, last + 1))
      })
    }

    for (const range of unsatisfiable) {
      test(`${JSON.stringify(range)} of ten bytes is not satisfiable`, async ({ driver }) => {
        await put(driver, at, content)
        expect((await failure(driver.read(at, { range }), 'range_not_satisfiable')).size).to.equal(10)
      })
    }

    for (const range of [{ first: 0 }, { first: 0, last: 0 }, { suffix: 1 }]) {
      test(`${JSON.stringify(range)} of an empty object is not satisfiable`, async ({ driver }) => {
        await put(driver, at, '')
        expect((await failure(driver.read(at, { range }), 'range_not_satisfiable')).size).to.equal(0)
      })
    }

    test('a range of a large object is read from its middle', async ({ driver }) => {
      const large = Buffer.alloc(3_000_000, 'abcdefghijklm')
      await put(driver, at, large)
      const result = await driver.read(at, { range: { first: 1_000_001, last: 2_000_000 } })
      const got = result && (await text(result.body))
      expect(got === large.subarray(1_000_001, 2_000_001).toString()).to.equal(true)
    })

    test('a range of nothing is nothing', async ({ driver }) => {
      expect(await driver.read(at, { range: { first: 5 } })).to.equal(null)
    })

    test('ifMatch reads that version or fails with the etag of the one there', async ({ driver }) => {
      const former = await put(driver, at, 'former')
      const current = await put(driver, at, 'current')
      const result = await driver.read(at, { ifMatch: current.etag })
      expect(result && (await text(result.body))).to.equal('current')
      const error = await failure(driver.read(at, { ifMatch: former.etag }), 'precondition_failed')
      expect(error.etag).to.equal(current.etag)
      const range = { first: 99 }
      await failure(driver.read(at, { ifMatch: former.etag, range }), 'precondition_failed')
    })

    test('ifMatch on nothing is nothing', async ({ driver }) => {
      expect(await driver.read(at, { ifMatch: 'x' })).to.equal(null)
    })
  })
}
