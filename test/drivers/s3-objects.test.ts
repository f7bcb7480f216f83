import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect } from 'chai'
import { bucket as address, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { nextCondition } from '../../drivers/s3/commit.ts'
import { tombstoneBytes } from '../../drivers/s3/delete.ts'
import { tombstoneMetadata } from '../../drivers/s3/metadata.ts'
import type { Version } from '../../drivers/s3/version.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { type S3Harness, s3Harness } from './s3-harness.ts'

const at = key('folder/file')
const page = { limit: 10, cursor: null }

describe('s3, what lies in a bucket', () => {
  let harness: S3Harness
  before(async function () {
    this.timeout(installMs)
    await cephServer()
    harness = await s3Harness()
  })
  afterEach(() => harness.bucket.empty())
  after(() => harness.close())

  /** As another program does, or one of our own that died. */
  async function putRaw(name: string, more: Partial<PutObjectCommand['input']> = {}): Promise<void> {
    const { client, name: Bucket } = harness.bucket
    await client.send(new PutObjectCommand({ Bucket, Key: name, Body: 'raw', ...more }))
  }
  const putMark = () => putRaw(at, { Body: randomBytes(tombstoneBytes), Metadata: tombstoneMetadata() })
  const removeRaw = () =>
    harness.bucket.client.send(new DeleteObjectCommand({ Bucket: harness.bucket.name, Key: at }))
  const list = () => harness.driver.list(`${address}/`, page)

  it('objects of a Gaia hub are read as they are', async () => {
    await putRaw(at, { ContentType: 'text/plain; charset=utf-8', CacheControl: 'no-cache' })
    const { info, text } = await get(harness.driver, at)
    expect(text).to.equal('raw')
    expect(info.contentType).to.equal('text/plain; charset=utf-8')
    const listed = await harness.driver.list(`${address}/`, { ...page, stat: true })
    expect(listed.entries).to.deep.equal([{ key: at, info }])
    await put(harness.driver, at, 'ours', { condition: { ifMatch: info.etag } })
  })

  it('an object has its type in its own header, and nothing that S3 does not need', async () => {
    await put(harness.driver, at, 'x', { contentType: 'text/plain; charset=utf-8' })
    const { client, name } = harness.bucket
    const head = await client.send(new HeadObjectCommand({ Bucket: name, Key: at }))
    expect(head.ContentType).to.equal('text/plain; charset=utf-8')
    expect(head.Metadata).to.deep.equal({})
  })

  for (const contentType of [
    'text/plain; name="é\u00ff"',
    'a/b;  two   spaces',
    ' a/b ',
    'text/plain; name="日本"',
    'é'.repeat(1024),
    ' ',
  ]) {
    it(`a type that headers cannot carry is kept verbatim: ${contentType.slice(0, 24)}`, async () => {
      expect((await put(harness.driver, at, 'x', { contentType })).contentType).to.equal(contentType)
      expect((await harness.driver.stat(at))?.contentType).to.equal(contentType)
      expect((await get(harness.driver, at)).info.contentType).to.equal(contentType)
    })
  }

  it('names that are no keys of ours are not listed, and do not end a list', async () => {
    const strays = ['//x', '/./x', '/../x', '/a//b', '/folder/', '/c\\d', '/e\u0007']
    for (const stray of strays) await putRaw(`${address}${stray}`)
    for (const stray of ['aside', '.hidden/x', 'not-a-bucket/x']) await putRaw(stray)
    await put(harness.driver, key('z'), 'ours')
    await put(harness.driver, key('folder/x'), 'ours')
    for (const limit of [1, 2, 100]) {
      const found: string[] = []
      let cursor: string | null = null
      do {
        const some: Awaited<ReturnType<typeof list>> = await harness.driver.list(`${address}/`, {
          limit,
          cursor,
        })
        found.push(...some.entries.map((entry) => entry.key))
        cursor = some.cursor
      } while (cursor !== null)
      expect(found).to.deep.equal([key('folder/x'), key('z')])
      const buckets = await harness.driver.listBuckets({ limit, cursor: null })
      expect(buckets.buckets).to.deep.equal([address])
    }
  })

  it('more names than S3 gives at once are one page', async () => {
    const names = Array.from({ length: 1_150 }, (_, i) => `${address}/n${String(i).padStart(5, '0')}`)
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((name) => putRaw(name)))
    }
    const all = await harness.driver.list(`${address}/`, { limit: 4096, cursor: null })
    expect(all.entries.map((entry) => entry.key)).to.deep.equal(names)
    expect(all.cursor).to.equal(null)
    const most = await harness.driver.list(`${address}/`, { limit: 1_100, cursor: null })
    expect(most.entries).to.have.length(1_100)
    const rest = await harness.driver.list(`${address}/`, { limit: 1_100, cursor: most.cursor })
    expect(rest.entries.map((entry) => entry.key)).to.deep.equal(names.slice(1_100))
  })

  for (const etag of ['*', 'a, b', '"x"', 'W/x', 'é', '', 'x'.repeat(200), 'a\r\nb: c']) {
    it(`an etag that S3 would take for more than one is of no version: ${JSON.stringify(etag.slice(0, 9))}`, async () => {
      const { driver } = harness
      const condition = { ifMatch: etag }
      await failure(put(driver, at, 'x', { condition }), 'precondition_failed')
      await failure(driver.delete(at, { condition }), 'precondition_failed')
      expect(await driver.read(at, condition)).to.equal(null)
      const { etag: current } = await put(driver, at, 'here')
      for (const run of [
        () => put(driver, at, 'x', { condition }),
        () => driver.delete(at, { condition }),
        () => driver.read(at, condition),
        () => driver.copy(at, key('copy'), condition),
      ]) {
        expect((await failure(run(), 'precondition_failed')).etag).to.equal(current)
      }
      expect((await get(driver, at)).text).to.equal('here')
    })
  }

  it('an object as large as a mark of a deletion is an object', async () => {
    await put(harness.driver, at, randomBytes(tombstoneBytes))
    expect((await list()).entries.map((entry) => entry.key)).to.deep.equal([at])
  })

  it('a mark of a deletion under way is nothing', async () => {
    const { driver } = harness
    await putMark()
    expect(await driver.stat(at)).to.equal(null)
    expect(await driver.read(at)).to.equal(null)
    expect(await driver.read(at, { range: { first: 0 } })).to.equal(null)
    expect(await list()).to.deep.equal({ entries: [], cursor: null })
    await failure(driver.delete(at), 'not_found')
    await failure(driver.copy(at, key('copy')), 'not_found')
    const condition = { ifMatch: '0123456789abcdef0123456789abcdef' }
    const { etag: ofPut } = await failure(put(driver, at, 'x', { condition }), 'precondition_failed')
    const { etag: ofDelete } = await failure(driver.delete(at, { condition }), 'precondition_failed')
    expect([ofPut, ofDelete]).to.deep.equal([undefined, undefined])
  })

  it('creating waits until the mark of a deletion is gone', async () => {
    await putMark()
    let isCreated = false
    const creating = put(harness.driver, at, 'new', { condition: { ifNoneMatch: '*' } }).then(() => {
      isCreated = true
    })
    await sleep(200)
    expect(isCreated).to.equal(false)
    await removeRaw()
    await creating
    expect((await get(harness.driver, at)).text).to.equal('new')
  })

  it('a write without a condition replaces the mark of a deletion', async () => {
    await putMark()
    await put(harness.driver, at, 'new')
    expect((await get(harness.driver, at)).text).to.equal('new')
  })

  it('only a mark that its deleter cannot be at work on any more is written over by who creates', () => {
    const info = { etag: 'of-the-mark', size: tombstoneBytes, contentType: 'a/b', lastModifiedMs: 0 }
    const mark = (ageMs: number): Version => ({ info, isTombstone: true, writeId: undefined, ageMs })
    const create = { ifNoneMatch: '*' } as const
    expect(nextCondition(create, mark(0))).to.equal(create)
    expect(nextCondition(create, mark(119_000))).to.equal(create)
    expect(nextCondition(create, mark(121_000))).to.deep.equal({ ifMatch: 'of-the-mark' })
    expect(nextCondition(create, null)).to.equal(create)
  })

  it('creators and deleters of one name take turns', async () => {
    const { driver } = harness
    const other = await harness.second()
    let created = 0
    let deleted = 0
    const work = Array.from({ length: 6 }, async (_, i) => {
      const by = i % 2 === 0 ? driver : other
      for (let round = 0; round < 6; round++) {
        const made = await put(by, at, `${i}-${round}`, { condition: { ifNoneMatch: '*' } }).catch(() => null)
        if (made === null) continue
        created++
        // Nobody else may have taken away what this one created.
        await by.delete(at, { condition: { ifMatch: made.etag } })
        deleted++
      }
    })
    await Promise.all(work)
    await other.close()
    expect(created).to.be.above(0)
    expect(deleted).to.equal(created)
    expect(await harness.bucket.keys()).to.deep.equal([])
  })
})
