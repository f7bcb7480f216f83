import { expect } from 'chai'
import { authKey, type Key, parseAddress } from '../key.ts'
import { bodyOf, bucket, failure, get, key, put, type Suite } from './harness.ts'

/** Names that some backend, some time, got wrong. Each must go through write, stat, read, list and delete. */
const awkward: ReadonlyArray<readonly [title: string, path: string]> = [
  ['a space', 'a b/c d'],
  ['spaces at the ends', ' a /b '],
  ['percent signs', '100%/%2e%2e/%'],
  ['a percent-encoded slash', 'a%2Fb'],
  ['a hash and a question mark', 'a#b?c=d&e'],
  ['plus signs', 'a+b/+'],
  ['quotes', `it's "quoted"/\`x\``],
  ['markup', '<a href="x">&amp;</a>'],
  ['shell characters', '$(id);|*?[]{}~!^'],
  ['a colon, a semicolon, a comma, an at', 'c:/a;b,c@d'],
  ['leading dots', '.hidden/.x/...'],
  ['names that begin with two dots', '..x/..y/a..b'],
  ['trailing dots and spaces', 'a./b. /c ..'],
  ['a dash first', '-rf/--x'],
  ['names that devices have elsewhere', 'CON/nul/aux.txt'],
  ['emoji', '👩‍👩‍👧/🗂️.png'],
  ['letters of many scripts', 'žluťoučký/日本語/العربية/ไทย'],
  ['private use and astral characters', '\u{e000}/\u{ffff}/\u{10ffff}/\u{1d11e}'],
  ['a replacement character', 'a\ufffdb'],
  ['a byte order mark', '\ufeffa/\ufeff'],
  ['zero width and directional characters', 'a\u200bb/\u202ec'],
  ['line separators that are no control characters', 'a\u2028b\u2029c'],
  ['a name like metadata', 'a/.gaia-metadata/x'],
  ['names of a driver of ours', '.mandate/tmp/x'],
  ['object prototype names', '__proto__/constructor/toString'],
  ['a segment of 255 bytes', `${'a'.repeat(255)}/x`],
  ['a segment of 256 bytes', `x/${'a'.repeat(256)}`],
  ['one segment of 1,024 bytes', 'l'.repeat(1024)],
  ['one segment of 1,024 bytes of two-byte characters', 'é'.repeat(512)],
  ['one segment of 1,023 bytes of three-byte characters', '語'.repeat(341)],
  ['one segment of 1,024 bytes of emoji', '🗂'.repeat(256)],
  ['a long segment of dots', `.${'.'.repeat(600)}`],
  ['a long folder and a long name', `${'f'.repeat(400)}/${'n'.repeat(600)}`],
  ['100 segments', Array.from({ length: 100 }, (_, i) => `s${i}`).join('/')],
]

/** Names that are not the same, though some file systems or libraries think so. */
const distinct: ReadonlyArray<readonly [title: string, paths: readonly string[]]> = [
  ['capital and small letters', ['Case', 'case', 'CASE', 'caſe']],
  ['NFC and NFD', ['caf\u00e9', 'cafe\u0301']],
  ['compatibility forms', ['ﬁle', 'file', 'ｆile']],
  ['an encoded and a plain character', ['a%20b', 'a b', 'a+b']],
  ['with and without trailing dots and spaces', ['a', 'a.', 'a ', 'a. ']],
  ['long names that end differently', [`${'x'.repeat(500)}a`, `${'x'.repeat(500)}b`, 'x'.repeat(500)]],
  ['a long name and its pieces', ['y'.repeat(600), 'y'.repeat(200), 'y'.repeat(255), 'y'.repeat(400)]],
]

/** Every name of PROTOCOL 1.7 is a key of its own. */
export function describeKeys({ test, canHold }: Suite): void {
  describe('keys', () => {
    for (const [title, path] of awkward.filter(([, path]) => canHold(key(path)))) {
      test(`holds a key with ${title}`, async ({ driver }) => {
        const at = key(path)
        const written = await put(driver, at, path)
        expect(await driver.stat(at)).to.deep.equal(written)
        expect((await get(driver, at)).text).to.equal(path)
        await put(driver, at, 'again')
        expect((await get(driver, at)).text).to.equal('again')
        const page = await driver.list(`${bucket}/`, { limit: 10, cursor: null })
        expect(page.entries.map((entry) => entry.key)).to.deep.equal([at])
        await driver.delete(at)
        expect(await driver.stat(at)).to.equal(null)
        expect((await driver.list(`${bucket}/`, { limit: 10, cursor: null })).entries).to.deep.equal([])
      })
    }

    for (const [title, path] of awkward.filter(([, path]) => !canHold(key(path)))) {
      test(`refuses a key with ${title}, and goes on`, async ({ driver }) => {
        const at = key(path)
        await put(driver, key('other'), 'other')
        const body = bodyOf('x'.repeat(100_000))
        await failure(driver.write(at, body, { contentType: 'a/b' }), 'invalid_key')
        expect(body.destroyed).to.equal(true)
        await failure(driver.copy(key('other'), at), 'invalid_key')
        expect(await driver.stat(at)).to.equal(null)
        expect(await driver.read(at)).to.equal(null)
        await failure(driver.delete(at), 'not_found')
        await failure(driver.copy(at, key('copy')), 'not_found')
        const page = await driver.list(`${bucket}/`, { limit: 10, cursor: null })
        expect(page.entries.map((entry) => entry.key)).to.deep.equal([key('other')])
      })
    }

    for (const [title, paths] of distinct) {
      test(`tells apart ${title}`, async ({ driver }) => {
        for (const path of paths) await put(driver, key(path), `content of ${path}`)
        for (const path of paths) expect((await get(driver, key(path))).text).to.equal(`content of ${path}`)
        const page = await driver.list(`${bucket}/`, { limit: 10, cursor: null })
        expect(page.entries.length).to.equal(paths.length)
      })
    }

    test("holds an address's records beside its files, and apart from them", async ({ driver }) => {
      const record: Key = authKey(parseAddress(bucket), 'grants/x.json')
      await put(driver, record, 'record')
      await put(driver, key('grants/x.json'), 'file')
      expect((await get(driver, record)).text).to.equal('record')
      const files = await driver.list(`${bucket}/`, { limit: 10, cursor: null })
      expect(files.entries.map((entry) => entry.key)).to.deep.equal([key('grants/x.json')])
      const records = await driver.list(`${bucket}-auth/`, { limit: 10, cursor: null })
      expect(records.entries.map((entry) => entry.key)).to.deep.equal([record])
    })
  })
}
