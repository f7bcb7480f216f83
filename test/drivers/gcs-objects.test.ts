import { buffer, text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Bucket, Storage } from '@google-cloud/storage'
import { expect } from 'chai'
import { bucket as address, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { type GcsHarness, gcsHarness, withGcsServer } from './gcs-harness.ts'

const at = key('folder/file')

describe('objects of Google Cloud Storage', () => {
  const server = withGcsServer()
  let harness: GcsHarness
  let sdk: Bucket
  beforeEach(async () => {
    harness = await gcsHarness(server())
    sdk = new Storage({ apiEndpoint: server().url, projectId: 'project' }).bucket(harness.bucket)
  })
  afterEach(() => harness.close())

  /** An object as another program left it. */
  const place = (name: string, content: string | Buffer, described = {}) =>
    server().store.insert(harness.bucket, name, Buffer.from(content), described, new URLSearchParams())

  it('have the key for a name, and the type and cache control in their metadata', async () => {
    const { driver } = harness
    const contentType = 'text/x; charset=y'
    const { etag } = await put(driver, at, 'content', { contentType, cacheControl: 'no-cache' })
    const [metadata] = await sdk.file(at).getMetadata()
    expect(metadata).to.include({ contentType, cacheControl: 'no-cache', generation: etag, size: '7' })
    expect(metadata.metadata).to.equal(undefined)
    expect(String((await sdk.file(at).download())[0])).to.equal('content')
    await put(driver, at, Buffer.alloc(2_500_000, 'x'), { contentType, cacheControl: 'max-age=1' })
    expect((await sdk.file(at).getMetadata())[0]).to.include({ contentType, cacheControl: 'max-age=1' })
  })

  it("are read as Google's own library wrote them, in one request or in many", async () => {
    const { driver } = harness
    for (const resumable of [false, true]) {
      await sdk.file(at).save('content', { resumable, contentType: 'a/b' })
      const { info, text: content } = await get(driver, at)
      expect([content, info.contentType]).to.deep.equal(['content', 'a/b'])
      expect(await driver.stat(at)).to.deep.equal(info)
      await put(driver, at, 'again', { condition: { ifMatch: info.etag } })
    }
  })

  it('take one request to write or read when they are small, and one for a page of a list', async () => {
    const { driver, bucket } = harness
    const { requests } = server()
    const count = async (task: () => Promise<unknown>): Promise<number> => {
      const before = requests.length
      await task()
      return requests.length - before
    }
    expect(await count(() => put(driver, at, 'x', { condition: { ifNoneMatch: '*' } }))).to.equal(1)
    expect(await count(() => get(driver, at))).to.equal(1)
    expect(await count(() => driver.stat(at))).to.equal(1)
    expect(await count(() => driver.copy(at, key('b')))).to.equal(1)
    expect(await count(() => driver.list(`${address}/`, { limit: 9, cursor: null, stat: true }))).to.equal(1)
    expect(await count(() => driver.check())).to.equal(1)
    expect(await count(() => driver.delete(at))).to.equal(1)
    expect([...server().store.bucket(bucket).keys()]).to.deep.equal([key('b')])
  })

  it('may have names that libraries take for something else', async () => {
    const { driver, bucket } = harness
    for (const path of ['x{{projectId}}y', 'o/../../b', '%2F', 'rewriteTo/b/x/o/y', 'a?alt=media&x=']) {
      // Whether such a path can be a key is another question; here it is one already.
      const name = `${address}/${path}` as ReturnType<typeof key>
      await put(driver, name, path)
      expect([...server().store.bucket(bucket).keys()]).to.deep.equal([name])
      expect((await get(driver, name)).text).to.equal(path)
      await driver.delete(name)
    }
  })

  it('may have a type in any letters, or none', async () => {
    const { driver } = harness
    for (const contentType of ['text/plain; x="é"', 'a/b; c="日本語 🗂"']) {
      for (const content of ['', 'content', 'x'.repeat(2_500_000)]) {
        const written = await put(driver, at, content, { contentType })
        expect(written).to.include({ contentType, size: content.length })
        expect((await get(driver, at)).info).to.deep.equal(written)
        expect((await get(driver, at)).text).to.equal(content)
      }
    }
    place(at, 'untyped')
    expect((await get(driver, at)).info.contentType).to.equal('application/octet-stream')
    expect((await driver.stat(at))?.contentType).to.equal('application/octet-stream')
  })

  it('come as they are stored, also compressed ones', async () => {
    const { driver } = harness
    const packed = gzipSync('content '.repeat(1000))
    place(at, packed, { contentEncoding: 'gzip', contentType: 'text/plain' })
    const result = await driver.read(at)
    expect(result?.info.size).to.equal(packed.length)
    expect(result && (await buffer(result.body))).to.deep.equal(packed)
    const part = await driver.read(at, { range: { first: 2, last: 9 } })
    expect(part && (await buffer(part.body))).to.deep.equal(packed.subarray(2, 10))
  })

  it('are no range when the storage sends them whole', async () => {
    await put(harness.driver, at, 'content')
    server().fault = () => 'whole'
    await failure(harness.driver.read(at, { range: { first: 2, last: 3 } }), 'backend')
  })

  it('keep their etag when only their description changes', async () => {
    const { driver } = harness
    const { etag } = await put(driver, at, 'content')
    await sdk.file(at).setMetadata({ contentType: 'text/other' })
    expect(await driver.stat(at)).to.include({ etag, contentType: 'text/other' })
    await put(driver, at, 'new', { condition: { ifMatch: etag } })
  })

  it('never match an etag that is no generation, and 0 least of all', async () => {
    const { driver } = harness
    for (const etag of [
      '0',
      '00',
      '-1',
      '1.0',
      '1e3',
      ' 1',
      '9223372036854775808',
      '9'.repeat(19),
      '9'.repeat(40),
    ]) {
      const condition = { ifMatch: etag }
      await failure(put(driver, at, 'x', { condition }), 'precondition_failed')
      await failure(driver.delete(at, { condition }), 'precondition_failed')
      await failure(driver.copy(at, key('copy'), { ifMatch: etag }), 'not_found')
      expect(await driver.read(at, { ifMatch: etag })).to.equal(null)
    }
    const { etag } = await put(driver, at, 'here')
    const padded = { condition: { ifMatch: `0${etag}` } }
    expect((await failure(put(driver, at, 'x', padded), 'precondition_failed')).etag).to.equal(etag)
    await failure(driver.read(at, { ifMatch: `0${etag}` }), 'precondition_failed')
    for (const ifMatch of ['0', `0${etag}`, 'x']) {
      await failure(driver.copy(at, key('copy'), { ifMatch }), 'precondition_failed')
    }
  })

  it('that no key can name are in no list', async () => {
    const { driver } = harness
    await put(driver, key('a/b'), 'x')
    for (const name of [
      `${address}/`,
      `${address}/a/`,
      `${address}/a//b`,
      `${address}/a/../b`,
      'loose',
      '.x/y',
      'a b/c',
    ]) {
      place(name, 'x')
    }
    const page = await driver.list(`${address}/`, { limit: 1, cursor: null })
    expect(page).to.deep.include({ cursor: null })
    expect(page.entries.map((entry) => entry.key)).to.deep.equal([key('a/b')])
    expect(await driver.listBuckets({ limit: 1, cursor: null })).to.deep.equal({
      buckets: [address],
      cursor: null,
    })
  })

  it('are listed in pages of any size, however many the storage names at once', async () => {
    const { driver } = harness
    const names = Array.from({ length: 2500 }, (_, i) => key(`n/${String(i).padStart(4, '0')}`))
    for (const name of names) place(name, 'x')
    for (const limit of [998, 999, 1000, 2499, 4096]) {
      const found: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof driver.list>> = await driver.list(`${address}/n/`, {
          limit,
          cursor,
        })
        expect(page.entries.length).to.be.at.most(limit)
        found.push(...page.entries.map((entry) => entry.key))
        cursor = page.cursor
      } while (cursor !== null)
      expect(found).to.deep.equal(names)
    }
  })

  it('are readable by anybody in a bucket that allows it, without the reader', async () => {
    await put(harness.driver, at, 'public', { contentType: 'a/b' })
    const answer = await fetch(`${server().url}/${harness.bucket}/${at}`)
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).to.deep.equal([
      200,
      'a/b',
      'public',
    ])
  })

  it('are read whole while they change all the time, also where each read takes two requests', async () => {
    const { driver } = harness
    const contentType = 'text/é'
    await put(driver, at, '0', { contentType })
    let writing = true
    const writer = (async () => {
      for (let i = 1; i <= 20; i++) await put(driver, at, `${i}`.repeat(i), { contentType })
      writing = false
    })()
    while (writing) {
      const result = await driver.read(at)
      if (result === null) throw new Error('nothing to read')
      expect((await text(result.body)).length).to.equal(result.info.size)
    }
    await writer
  })
})
