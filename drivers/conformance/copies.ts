import { expect } from 'chai'
import { failure, get, key, put, type Suite } from './harness.ts'

const from = key('doc/current.txt')
const to = key('doc/.history.1.abc.current.txt')

/** Copies within the storage: what history is made of. */
export function describeCopies({ test, contentEtags }: Suite): void {
  describe('copies', () => {
    test('a copy has the bytes and the type, and leaves its source alone', async ({ driver }) => {
      const source = await put(driver, from, 'content', { contentType: 'text/x; charset=y' })
      const copied = await driver.copy(from, to)
      expect(copied).to.include({ size: 7, contentType: 'text/x; charset=y' })
      const { info, text } = await get(driver, to)
      expect(info).to.deep.equal(copied)
      expect(text).to.equal('content')
      expect(await driver.stat(from)).to.deep.equal(source)
    })

    test('source and copy go their own ways', async ({ driver }) => {
      await put(driver, from, 'one', { contentType: 'a/one' })
      const copied = await driver.copy(from, to)
      await put(driver, from, 'two', { contentType: 'a/two' })
      expect((await get(driver, to)).text).to.equal('one')
      expect(await driver.stat(to)).to.deep.equal(copied)
      await put(driver, to, 'three')
      expect((await get(driver, from)).text).to.equal('two')
      await driver.delete(to)
      expect((await get(driver, from)).text).to.equal('two')
      await driver.copy(from, to)
      await driver.delete(from)
      expect((await get(driver, to)).info.contentType).to.equal('a/two')
    })

    test('a copy overwrites, as another version', async ({ driver }) => {
      await put(driver, from, 'new')
      const former = await put(driver, to, 'a longer content than the new one')
      const copied = await driver.copy(from, to)
      expect(copied.etag).to.not.equal(former.etag)
      expect((await get(driver, to)).text).to.equal('new')
      if (contentEtags) await put(driver, from, 'newer')
      const again = await driver.copy(from, to)
      expect(again.etag).to.not.equal(copied.etag)
      expect((await get(driver, to)).info).to.deep.equal(again)
      await failure(put(driver, to, 'x', { condition: { ifMatch: copied.etag } }), 'precondition_failed')
      await put(driver, to, 'y', { condition: { ifMatch: again.etag } })
    })

    test('a copy of nothing is not_found and changes nothing', async ({ driver }) => {
      const before = await put(driver, to, 'before')
      await failure(driver.copy(from, to), 'not_found')
      await failure(driver.copy(from, to, { ifMatch: 'x' }), 'not_found')
      expect(await driver.stat(to)).to.deep.equal(before)
    })

    test('with ifMatch it copies that version or fails', async ({ driver }) => {
      const former = await put(driver, from, 'former')
      const current = await put(driver, from, 'current')
      const error = await failure(driver.copy(from, to, { ifMatch: former.etag }), 'precondition_failed')
      expect(error.etag).to.equal(current.etag)
      expect(await driver.stat(to)).to.equal(null)
      await driver.copy(from, to, { ifMatch: current.etag })
      expect((await get(driver, to)).text).to.equal('current')
    })

    test('an empty object, and a large one, can be copied', async ({ driver }) => {
      for (const size of [0, 10_000_000]) {
        await put(driver, from, Buffer.alloc(size, 'z'))
        expect((await driver.copy(from, to)).size).to.equal(size)
        expect((await get(driver, to)).text.length).to.equal(size)
      }
    })

    test('copies while the source is overwritten are each one whole version', async ({ driver }) => {
      const contentOf = (i: number): string => `${i},`.repeat(5000 + i * 100)
      await put(driver, from, contentOf(0), { contentType: 'v/0' })
      const writing = (async () => {
        for (let i = 1; i <= 20; i++) await put(driver, from, contentOf(i), { contentType: `v/${i}` })
      })()
      for (let i = 0; i < 10; i++) {
        await driver.copy(from, key(`copies/${i}`))
        const { info, text } = await get(driver, key(`copies/${i}`))
        expect(text === contentOf(Number(info.contentType.slice(2)))).to.equal(true)
      }
      await writing
    })
  })
}
