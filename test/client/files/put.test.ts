import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { generateSigner, PreconditionFailedError, type PutData } from '../../../client/index.ts'
import { collect } from '../collect.ts'
import { rejection } from '../rejection.ts'
import { suiteStage } from '../sdk-stage.ts'

const utf8 = new TextEncoder()

describe('put', () => {
  const on = suiteStage()
  let me: Connection
  let other: Connection
  beforeEach(async () => {
    me = await on.stage.connect()
    other = await on.stage.connect()
  })
  const textAt = async (path: string) => (await other.get(path)).text()

  describe('overwrites nothing that the connection has not seen:', () => {
    it('creates what is new, and replaces what it wrote itself', async () => {
      for (const text of ['one', 'two', 'three']) await me.put('own.txt', text)
      expect(await textAt('own.txt')).to.equal('three')
    })

    it('refuses a file that is there unseen, and says what to do', async () => {
      await other.put('unseen.txt', 'theirs')
      const error = await rejection(me.put('unseen.txt', 'mine'))
      expect(error).to.be.an.instanceOf(PreconditionFailedError)
      expect(error).to.include({ code: 'precondition-failed', status: 412, answerLost: false })
      expect(error.message).to.include('update()').and.include('overwrite: true')
      expect(await textAt('unseen.txt')).to.equal('theirs')
    })

    it('replaces the version that it has read, and no younger one', async () => {
      await other.put('read.txt', 'one')
      await me.get('read.txt')
      await me.put('read.txt', 'two')
      await other.put('read.txt', 'three', { overwrite: true })
      expect(await rejection(me.put('read.txt', 'lost?'))).to.be.an.instanceOf(PreconditionFailedError)
      expect(await textAt('read.txt')).to.equal('three')
    })

    it('takes a look at the head for no reading', async () => {
      await other.put('head.txt', 'theirs')
      await me.head('head.txt')
      expect(await rejection(me.put('head.txt', 'mine'))).to.be.an.instanceOf(PreconditionFailedError)
    })

    it('creates again what it deleted', async () => {
      await me.put('again.txt', 'one')
      await me.delete('again.txt')
      await me.put('again.txt', 'two')
      expect(await textAt('again.txt')).to.equal('two')
    })

    it('stores one after the other what is not waited for', async () => {
      await Promise.all(['one', 'two', 'three'].map((text) => me.put('fast.txt', text)))
      expect(await textAt('fast.txt')).to.equal('three')
    })
  })

  it('overwrites whatever is there where it is told to', async () => {
    await other.put('forced.txt', 'theirs')
    await me.put('forced.txt', 'mine', { overwrite: true })
    expect(await textAt('forced.txt')).to.equal('mine')
  })

  it('creates only, where it is told to, also what it has seen', async () => {
    await me.put('once.txt', 'one')
    const error = await rejection(me.put('once.txt', 'two', { createOnly: true }))
    expect(error).to.be.an.instanceOf(PreconditionFailedError)
  })

  it('replaces the version that it is told', async () => {
    const { etag } = await other.put('told.txt', 'one')
    await me.put('told.txt', 'two', { ifMatch: etag })
    expect(await rejection(me.put('told.txt', 'three', { ifMatch: etag }))).to.include({ status: 412 })
  })

  it('gives the etag and the address at which anybody reads', async () => {
    const { etag, publicUrl } = await me.put('a b/č#?%.txt', 'x')
    const response = await fetch(publicUrl)
    expect(response.headers.get('etag')).to.equal(etag)
    expect(await response.text()).to.equal('x')
  })

  describe('takes', () => {
    async function* chunks() {
      yield utf8.encode('čon')
      yield utf8.encode('tent')
    }
    const forms: [string, () => PutData, string][] = [
      ['a string', () => 'čontent', 'text/plain; charset=utf-8'],
      ['bytes', () => utf8.encode('čontent'), 'application/octet-stream'],
      ['a view of other bytes', () => utf8.encode('-čontent-').subarray(1, -1), 'application/octet-stream'],
      ['an ArrayBuffer', () => utf8.encode('čontent').buffer, 'application/octet-stream'],
      ['a Blob', () => new Blob(['čontent']), 'application/octet-stream'],
      ['a Blob with a type', () => new Blob(['čontent'], { type: 'text/css' }), 'text/css'],
      ['a stream', () => new Blob(['čontent']).stream(), 'application/octet-stream'],
      ['an async iterable', chunks, 'application/octet-stream'],
      ['a function that opens one', () => chunks, 'application/octet-stream'],
    ]
    for (const [what, data, contentType] of forms) {
      it(what, async () => {
        await me.put(`forms/${what}`, data())
        const file = await other.get(`forms/${what}`)
        expect(file.text()).to.equal('čontent')
        expect(file.contentType).to.equal(contentType)
      })
    }

    it('nothing, as a file without bytes', async () => {
      await me.put('empty', '')
      expect(await other.get('empty')).to.include({ size: 0 })
    })

    it('the content type that it is told', async () => {
      await me.put('typed', '{}', { contentType: 'application/json' })
      expect((await other.get('typed')).contentType).to.equal('application/json')
    })

    it('bytes as they were at the call', async () => {
      const bytes = utf8.encode('before')
      const stored = me.put('bytes', bytes)
      bytes.fill(0)
      await stored
      expect(await textAt('bytes')).to.equal('before')
    })

    it('nothing else', async () => {
      const error = await rejection(me.put('other', 7 as unknown as string))
      expect(error).to.include({ code: 'invalid-input' })
    })
  })

  it('tells how far it is', async () => {
    const seen: [number, number | null][] = []
    const onProgress = ({ loaded, total }: { loaded: number; total: number | null }) =>
      seen.push([loaded, total])
    await me.put('progress', new Uint8Array(200_000), { onProgress })
    expect(seen.length).to.be.above(2)
    expect(seen.at(-1)).to.deep.equal([200_000, 200_000])
    expect(seen.map(([loaded]) => loaded)).to.deep.equal(seen.map(([loaded]) => loaded).sort((a, b) => a - b))
  })

  it('refuses what is larger than the hub takes before it sends a byte', async () => {
    let sent = 0
    const countingFetch: typeof fetch = (...args) => {
      sent += 1
      return fetch(...args)
    }
    const counting = await on.stage.connect({ fetch: countingFetch })
    sent = 0
    const error = await rejection(counting.put('large', new Uint8Array(1_048_577)))
    expect(error).to.include({ code: 'payload-too-large', status: null })
    expect(sent).to.equal(0)
  })

  it('is refused by the hub where a stream turns out larger', async () => {
    async function* large() {
      for (let i = 0; i < 20; i++) yield new Uint8Array(65_536)
    }
    expect(await rejection(me.put('large', large()))).to.include({ code: 'payload-too-large', status: 413 })
    expect(await me.head('large')).to.equal(null)
  })

  it('fails as its stream fails, and stores nothing', async () => {
    const fault = new Error('the disk broke')
    async function* broken() {
      yield new Uint8Array(100_000)
      throw fault
    }
    expect(await rejection(me.put('broken', broken()))).to.equal(fault)
    expect(await rejection(me.put('broken', () => broken()))).to.equal(fault)
    expect(await me.head('broken')).to.equal(null)
  })

  for (const [what, bytes] of [
    ['shorter', 99_999],
    ['longer', 100_001],
  ] as const) {
    it(`refuses a stream that is ${what} than it was said to be, and stores nothing`, async () => {
      const open = () => new Blob([new Uint8Array(bytes)]).stream()
      const error = await rejection(me.put('misjudged', open, { size: 100_000 }))
      expect(error).to.include({ code: 'invalid-input' })
      expect(error.message).to.include('100000')
      expect(await me.head('misjudged')).to.equal(null)
    })
  }

  it('refuses a stream of anything but bytes', async () => {
    async function* texts() {
      yield 'text' as unknown as Uint8Array
    }
    expect(await rejection(me.put('texts', texts))).to.include({ code: 'invalid-input' })
  })

  it('ends when its signal aborts, and stores nothing', async () => {
    const controller = new AbortController()
    async function* endless() {
      for (;;) {
        yield new Uint8Array(1000)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    const put = rejection(me.put('aborted', endless(), { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 30)
    expect((await put).message).to.equal('enough')
    expect(await me.head('aborted')).to.equal(null)
  })

  it('does not begin when its signal has aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    expect((await rejection(me.put('late', 'x', { signal }))).message).to.equal('too late')
  })

  describe('refuses before it sends anything', () => {
    for (const [what, path] of [
      ['an empty path', ''],
      ['a segment that a URL would resolve', 'a/../b'],
      ['a segment of one dot', './a'],
      ['an empty segment', 'a//b'],
      ['a slash at the end', 'a/'],
      ['a backslash', 'a\\b'],
      ['a control character', 'a\u0000b'],
      ['half a surrogate pair', 'a\ud800'],
      ['1,025 bytes', 'x'.repeat(1025)],
      ['101 segments', Array(101).fill('a').join('/')],
      ['a reserved name', '.gaia-metadata/x'],
    ] as const) {
      it(what, async () => {
        expect(await rejection(me.put(path, 'x'))).to.include({ code: 'bad-path', status: null })
      })
    }
  })

  for (const [whose, connectAs] of [
    ['a Stacks key', () => on.stage.connect()],
    ['a P-256 key', async () => on.stage.connect({ signer: await generateSigner('P-256') })],
  ] as const) {
    it(`keeps every name as it is, with ${whose}`, async () => {
      const owner = await connectAs()
      const names = [' ', '%', '%41', '%2F', 'a b', 'a+b', '?', '#', '&=;', 'é', 'e\u0301', '😀', '...', '~']
      for (const name of names) await owner.put(`names/${name}/${name}`, name)
      const listed = await collect(owner.list({ prefix: 'names/' }))
      expect(listed.sort()).to.deep.equal(names.map((name) => `names/${name}/${name}`).sort())
      for (const name of names) {
        expect((await owner.get(`names/${name}/${name}`)).text()).to.equal(name)
        expect(await owner.delete(`names/${name}/${name}`)).to.equal(true)
      }
    })
  }
})
