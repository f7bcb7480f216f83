import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { bodyOf, bucket, failure, get, key, put, type Suite } from './harness.ts'

/** What it means to hold an object: write, stat, read, delete, check. */
export function describeObjects({ test, testShared, contentEtags }: Suite): void {
  describe('objects', () => {
    test('a key that was never written holds nothing', async ({ driver }) => {
      expect(await driver.stat(key('a'))).to.equal(null)
      expect(await driver.read(key('a'))).to.equal(null)
    })

    test('what is written is there at once, byte for byte', async ({ driver }) => {
      const before = Date.now()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      const written = await put(driver, key('a/b'), bytes, { contentType: 'image/x', size: 256 })
      expect(written).to.include({ size: 256, contentType: 'image/x' })
      expect(written.lastModifiedMs).to.be.within(before - 5000, Date.now() + 5000)
      expect(written.lastModifiedMs % 1).to.equal(0)
      expect(written.etag).to.match(/^[\x21\x23-\x2b\x2d-\x7e]{1,128}$/)
      expect(await driver.stat(key('a/b'))).to.deep.equal(written)
      const result = await driver.read(key('a/b'))
      expect(result?.info).to.deep.equal(written)
      expect(result?.range).to.equal(null)
      expect(result && (await buffer(result.body))).to.deep.equal(bytes)
    })

    test('a shorter version leaves nothing of a longer one', async ({ driver }) => {
      await put(driver, key('a'), 'x'.repeat(100_000))
      await put(driver, key('a'), 'short')
      expect((await get(driver, key('a'))).text).to.equal('short')
      expect((await driver.stat(key('a')))?.size).to.equal(5)
    })

    test('an object may be empty', async ({ driver }) => {
      const written = await put(driver, key('empty'), '')
      expect(written.size).to.equal(0)
      const { info, text } = await get(driver, key('empty'))
      expect(info).to.deep.equal(written)
      expect(text).to.equal('')
      await put(driver, key('empty'), 'full')
      await put(driver, key('empty'), '')
      expect((await get(driver, key('empty'))).text).to.equal('')
    })

    const also = contentEtags ? '' : ', also with the same bytes'
    test(`every version has another etag than the one before${also}`, async ({ driver }) => {
      const etags: string[] = []
      for (let i = 0; i < 10; i++) {
        etags.push((await put(driver, key('a'), contentEtags ? `version ${i}` : 'same')).etag)
      }
      for (let i = 1; i < etags.length; i++) expect(etags[i]).to.not.equal(etags[i - 1])
    })

    for (const contentType of [
      'application/octet-stream',
      'text/plain; charset=ISO-8859-1',
      'TEXT/Html;x="a, b"',
      'x',
      `text/plain; p=${'y'.repeat(1024 - 14)}`,
    ]) {
      test(`the content type is kept verbatim: ${contentType.slice(0, 40)} (${contentType.length})`, async ({
        driver,
      }) => {
        expect((await put(driver, key('a'), 'b', { contentType })).contentType).to.equal(contentType)
        expect((await driver.stat(key('a')))?.contentType).to.equal(contentType)
        expect((await get(driver, key('a'))).info.contentType).to.equal(contentType)
      })
    }

    test('a new version has its own content type', async ({ driver }) => {
      await put(driver, key('a'), '1', { contentType: 'text/one' })
      await put(driver, key('a'), '2', { contentType: 'text/two' })
      expect((await get(driver, key('a'))).info.contentType).to.equal('text/two')
    })

    test('what is deleted is gone, and only that', async ({ driver }) => {
      await put(driver, key('f/a'), '1')
      await put(driver, key('f/b'), '2')
      await driver.delete(key('f/a'))
      expect(await driver.stat(key('f/a'))).to.equal(null)
      expect(await driver.read(key('f/a'))).to.equal(null)
      expect((await get(driver, key('f/b'))).text).to.equal('2')
    })

    test('deleting nothing is not_found, before and after', async ({ driver }) => {
      await failure(driver.delete(key('a')), 'not_found')
      await put(driver, key('a'), '1')
      await driver.delete(key('a'))
      await failure(driver.delete(key('a')), 'not_found')
    })

    test('a key can be written again after it was deleted', async ({ driver }) => {
      await put(driver, key('d/e/f'), 'old', { contentType: 'a/old' })
      await driver.delete(key('d/e/f'))
      await put(driver, key('d/e/f'), 'new', { contentType: 'a/new' })
      const { info, text } = await get(driver, key('d/e/f'))
      expect([text, info.contentType]).to.deep.equal(['new', 'a/new'])
    })

    test('a folder of keys is not an object', async ({ driver }) => {
      await put(driver, key('folder/a'), '1')
      expect(await driver.stat(key('folder'))).to.equal(null)
      expect(await driver.read(key('folder'))).to.equal(null)
      await failure(driver.delete(key('folder')), 'not_found')
      expect((await get(driver, key('folder/a'))).text).to.equal('1')
    })

    test('what lies below an object is not there', async ({ driver }) => {
      await put(driver, key('file'), '1')
      expect(await driver.stat(key('file/below'))).to.equal(null)
      expect(await driver.read(key('file/below'))).to.equal(null)
      await failure(driver.delete(key('file/below')), 'not_found')
    })

    test('many keys of one folder can come and go at once', async ({ driver }) => {
      const work = Array.from({ length: 16 }, async (_, i) => {
        for (let round = 0; round < 4; round++) {
          await put(driver, key(`deep/er/${i}`), `${i}-${round}`)
          expect((await get(driver, key(`deep/er/${i}`))).text).to.equal(`${i}-${round}`)
          await driver.delete(key(`deep/er/${i}`))
        }
      })
      await Promise.all(work)
      expect((await driver.list(`${bucket}/`, { limit: 10, cursor: null })).entries).to.deep.equal([])
    })

    testShared('another instance sees each change at once', async ({ driver }, other) => {
      for (const content of ['1', 'two', '']) {
        const written = await put(driver, key('shared'), content)
        expect(await other.stat(key('shared'))).to.deep.equal(written)
        expect((await get(other, key('shared'))).text).to.equal(content)
      }
      await other.delete(key('shared'))
      expect(await driver.stat(key('shared'))).to.equal(null)
    })

    test('a body of another length than announced changes nothing', async ({ driver }) => {
      await put(driver, key('a'), 'former')
      for (const size of [3, 5]) {
        const writing = driver.write(key('a'), bodyOf('four'), { contentType: 'a/b', size })
        await failure(writing, 'backend')
      }
      expect((await get(driver, key('a'))).text).to.equal('former')
    })

    test('it says that it works', async ({ driver }) => {
      await driver.check()
      expect(driver.name).to.match(/^\S+$/)
    })
  })
}
