import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Condition, Driver } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Key } from '../key.ts'
import { failure, get, key, put, type Suite } from './harness.ts'

interface Row {
  readonly title: string
  /** Whether the key holds something, and which etag of it is asked for. */
  readonly holds: boolean
  readonly asks: 'current' | 'former' | 'another' | 'nothing there'
  readonly succeeds: boolean
}

const rows: readonly Row[] = [
  { title: 'the right etag', holds: true, asks: 'current', succeeds: true },
  { title: 'a stale etag', holds: true, asks: 'former', succeeds: false },
  { title: 'an etag that never was', holds: true, asks: 'another', succeeds: false },
  { title: 'an etag of a key that holds nothing', holds: false, asks: 'another', succeeds: false },
  { title: 'the etag of what was deleted', holds: false, asks: 'former', succeeds: false },
  { title: 'create only, on nothing', holds: false, asks: 'nothing there', succeeds: true },
  { title: 'create only, on an object', holds: true, asks: 'nothing there', succeeds: false },
]

const at = key('folder/conditional')

/** Conditions are decided at the instant of commit, and by one of any number of writers at once. */
export function describeConditions({ test, testShared, contentEtags, atomicDeletes }: Suite): void {
  describe('conditions', () => {
    for (const row of rows) {
      test(`write with ${row.title} ${row.succeeds ? 'succeeds' : 'fails and changes nothing'}`, async ({
        driver,
      }) => {
        const { condition, current } = await prepare(driver, row)
        const writing = put(driver, at, 'new', { condition })
        if (row.succeeds) {
          const written = await writing
          expect(await driver.stat(at)).to.deep.equal(written)
          return
        }
        expect((await failure(writing, 'precondition_failed')).etag).to.equal(current?.etag)
        expect(await driver.stat(at)).to.deep.equal(current)
      })
    }

    for (const row of rows.filter(({ asks }) => asks !== 'nothing there')) {
      test(`delete with ${row.title} ${row.succeeds ? 'succeeds' : 'fails and changes nothing'}`, async ({
        driver,
      }) => {
        const { condition, current } = await prepare(driver, row)
        if (!('ifMatch' in condition)) throw new Error('this table is about etags')
        const deleting = driver.delete(at, { condition })
        if (row.succeeds) {
          await deleting
          expect(await driver.stat(at)).to.equal(null)
          return
        }
        expect((await failure(deleting, 'precondition_failed')).etag).to.equal(current?.etag)
        expect(await driver.stat(at)).to.deep.equal(current)
      })
    }

    test('a large body that comes too late changes nothing', async ({ driver }) => {
      const first = await put(driver, at, 'first')
      const slow = put(driver, at, Buffer.alloc(300_000, 's'), { condition: { ifMatch: first.etag } })
      await put(driver, at, 'second', { condition: { ifMatch: first.etag } }).catch(() => undefined)
      await slow.catch(() => undefined)
      const { info, text } = await get(driver, at)
      expect(info.size).to.equal(text.length)
      expect(info.etag).to.not.equal(first.etag)
      await failure(put(driver, at, 'third', { condition: { ifMatch: first.etag } }), 'precondition_failed')
    })

    test('one of twenty creators at once wins', async ({ driver }) => {
      await race([driver], at, { ifNoneMatch: '*' })
    })

    const also = contentEtags ? '' : ', also with the same bytes'
    test(`one of twenty writers with one etag wins${also}`, async ({ driver }) => {
      const { etag } = await put(driver, at, 'start')
      await race([driver], at, { ifMatch: etag }, contentEtags ? undefined : () => 'the same')
    })

    testShared('one of twenty creators over two instances wins', async ({ driver }, other) => {
      for (let round = 0; round < 5; round++) {
        await race([driver, other], key(`created/${round}`), { ifNoneMatch: '*' })
      }
    })

    testShared('one of twenty writers with one etag over two instances wins', async ({ driver }, other) => {
      let { etag } = await put(driver, at, 'start')
      for (let round = 0; round < 5; round++) {
        const contentOf = (i: number): string => `round ${round}, content ${i} `.repeat(100)
        etag = await race([driver, other], at, { ifMatch: etag }, contentOf)
      }
    })

    test('one of ten deleters with one etag wins', async ({ driver }) => {
      const { etag } = await put(driver, at, 'here')
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, () => driver.delete(at, { condition: { ifMatch: etag } })),
      )
      expectOneWinner(outcomes)
      expect(await driver.stat(at)).to.equal(null)
    })

    test('a writer and a deleter with one etag: one wins', async ({ driver }) => {
      for (let round = 0; round < 10; round++) {
        const { etag } = await put(driver, at, 'here')
        const outcomes = await Promise.allSettled<unknown>([
          put(driver, at, 'there', { condition: { ifMatch: etag } }),
          driver.delete(at, { condition: { ifMatch: etag } }),
        ])
        expectOneWinner(outcomes)
      }
    })

    test(`it says that a delete under a condition is ${atomicDeletes ? '' : 'not '}one step`, async ({
      driver,
    }) => {
      expect(driver.capabilities.atomicDeletes).to.equal(atomicDeletes)
    })

    testShared('a creation that meets a delete is not lost', async ({ driver }, other) => {
      for (let round = 0; round < 10; round++) {
        const { etag } = await put(driver, at, `former ${round}`)
        const condition = { ifMatch: etag }
        const deleting = driver.delete(at, round % 2 === 0 ? { condition } : {})
        const created = `created ${round}`
        await Promise.all([deleting, createAsSoonAsPossible(other, created)])
        expect((await get(driver, at)).text).to.equal(created)
      }
    })

    if (atomicDeletes) {
      testShared('a write that meets a delete under a condition is not lost', async ({ driver }, other) => {
        for (let round = 0; round < 20; round++) {
          const { etag } = await put(driver, at, `former ${round}`)
          const deleting = driver.delete(at, { condition: { ifMatch: etag } })
          await sleep(Math.random() * 10)
          const written = `written ${round}`
          const [outcome] = await Promise.allSettled([deleting, put(other, at, written)])
          if (outcome.status === 'rejected') {
            expect(outcome.reason).to.include({ name: 'DriverError', code: 'precondition_failed' })
          }
          expect((await get(driver, at)).text).to.equal(written)
        }
      })
    }

    test('of unconditional writers at once the last one is there, whole', async ({ driver }) => {
      const contents = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(2000 + i * 100))
      const written = await Promise.all(
        contents.map((content, i) => put(driver, at, content, { contentType: `text/${i}` })),
      )
      const { info, text } = await get(driver, at)
      const last = written.findIndex(({ etag }) => etag === info.etag)
      expect(last).to.be.greaterThan(-1)
      expect(info).to.deep.equal(written[last])
      expect(text).to.equal(contents[last])
      expect(new Set(written.map(({ etag }) => etag)).size).to.equal(20)
    })
  })
}

async function createAsSoonAsPossible(driver: Driver, content: string): Promise<void> {
  for (;;) {
    try {
      await put(driver, at, content, { condition: { ifNoneMatch: '*' } })
      return
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
    }
  }
}

async function prepare(driver: Driver, row: Row) {
  const former = await put(driver, at, 'former')
  let current = await put(driver, at, 'current')
  if (!row.holds) {
    await driver.delete(at)
    current = former
  }
  const etags = { current: current.etag, former: former.etag, another: '0123456789abcdef0123456789abcdef' }
  const condition: Condition =
    row.asks === 'nothing there' ? { ifNoneMatch: '*' } : { ifMatch: etags[row.asks] }
  return { condition, current: row.holds ? current : null }
}

/** Twenty writers at once; answers with the etag of the one that won. */
async function race(
  drivers: readonly Driver[],
  target: Key,
  condition: Condition,
  contentOf: (i: number) => string = (i) => `content ${i} `.repeat(100),
): Promise<string> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, async (_, i) => {
      const driver = drivers[i % drivers.length]
      if (driver === undefined) throw new Error('no driver to race with')
      return await put(driver, target, contentOf(i), { condition, contentType: `text/${i}` })
    }),
  )
  const winner = expectOneWinner(outcomes)
  for (const driver of drivers) {
    const { info, text } = await get(driver, target)
    expect(info).to.deep.equal(winner.value)
    expect(text).to.equal(contentOf(winner.index))
  }
  return winner.value.etag
}

function expectOneWinner<T>(outcomes: ReadonlyArray<PromiseSettledResult<T>>): { index: number; value: T } {
  const winners = outcomes.flatMap((outcome, index) =>
    outcome.status === 'fulfilled' ? [{ index, value: outcome.value }] : [],
  )
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    expect(outcome.reason).to.be.instanceOf(DriverError)
    expect(outcome.reason.code).to.equal('precondition_failed')
  }
  expect(winners).to.have.length(1)
  const winner = winners[0]
  if (winner === undefined) throw new Error('nobody won')
  return winner
}
