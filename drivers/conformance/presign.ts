import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import {
  type Condition,
  type Driver,
  maxPresignSeconds,
  type PresignedUploads,
  type Presigner,
  type PresignReadOptions,
  type PresignUploadOptions,
} from '../driver.ts'
import type { Key } from '../key.ts'
import { sendPresigned, uploadRequest } from '../send-presigned.ts'
import { failure, get, key, put, type Suite } from './harness.ts'

const at = key('photos/2026/ü 100% #1?.txt')
const elsewhere = key('photos/2026/other.txt')
const content = 'the content'
const other = 'another one'
const contentType = 'text/plain'
const reading: PresignReadOptions = { expiresInSeconds: 60 }
const uploading: PresignUploadOptions = { expiresInSeconds: 60, size: content.length, contentType }

const impossibleLives = [0, -1, 1.5, maxPresignSeconds + 1, Number.NaN]

/** What a client does to an upload that was presigned for {@link content}. */
interface Tampering {
  readonly title: string
  readonly condition?: Condition
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
  readonly method?: string
  readonly changeUrl?: (url: string) => string
}

const tamperings: readonly Tampering[] = [
  { title: 'a longer body', body: `${content}!`, headers: { 'content-length': String(content.length + 1) } },
  {
    title: 'a shorter body',
    body: content.slice(1),
    headers: { 'content-length': String(content.length - 1) },
  },
  { title: 'an empty body', body: '', headers: { 'content-length': '0' } },
  {
    title: 'a longer body of a length that is not told',
    body: `${content}!`,
    headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' },
  },
  { title: 'another content type', headers: { 'content-type': 'text/html' } },
  { title: 'no content type', headers: { 'content-type': undefined } },
  { title: 'another method', method: 'DELETE' },
  { title: 'another key', changeUrl: (url) => url.replace(/ü|%C3%BC/i, 'u') },
  { title: 'a longer life', changeUrl: (url) => url.replace(/(Expires=)60/i, '$1299') },
  { title: 'no signature', changeUrl: (url) => url.replace(/\?.*/, '') },
  {
    title: 'another signature',
    changeUrl: (url) => url.replace(/(Signature=)./i, (_, name: string) => `${name}x`),
  },
]

/** Requests that a client sends to the storage itself: those that the driver under test is said to presign. */
export function describePresigning(suite: Suite): void {
  const { test, presigns } = suite
  describe('presigned requests', () => {
    test(`are those that the driver says it has: ${presigns}`, async ({ driver }) => {
      expect(driver.capabilities.presign).to.equal(presigns !== 'nothing')
      expect(driver.presign !== undefined).to.equal(presigns !== 'nothing')
      expect((driver.presign?.uploads ?? null) !== null).to.equal(presigns === 'uploads')
    })

    if (presigns === 'nothing') return
    describeReads(suite)
    if (presigns === 'uploads') describeUploads(suite)

    test('do nothing once they have expired', async ({ driver }) => {
      const presigned = presigner(driver)
      const former = await put(driver, at, 'former')
      const upload = await presigned.uploads?.presign(at, { ...uploading, expiresInSeconds: 1 })
      const url = await presigned.readUrl(at, { expiresInSeconds: 1 })
      await sleep(2_100)
      await expectRefused({ url })
      if (upload !== undefined) await expectRefused(uploadRequest(upload, Buffer.from(content)))
      expect(await driver.stat(at)).to.deep.equal(former)
    })
  })
}

function describeReads({ test }: Suite): void {
  describe('that read', () => {
    test('give the bytes and the type, and ranges of them', async ({ driver }) => {
      const url = await presigner(driver).readUrl(at, reading)
      await put(driver, at, content, { contentType: 'text/x-told' })
      const whole = await sendPresigned({ url })
      expect([whole.status, String(whole.body)]).to.deep.equal([200, content])
      expect(whole.headers['content-type']).to.equal('text/x-told')
      const part = await sendPresigned({ url, headers: { Range: 'bytes=4-6' } })
      expect([part.status, String(part.body)]).to.deep.equal([206, content.slice(4, 7)])
    })

    test('answer as the driver was told', async ({ driver }) => {
      const pinned = { contentType: 'text/x-pinned', contentDisposition: 'attachment' }
      const url = await presigner(driver).readUrl(at, { ...reading, ...pinned })
      await put(driver, at, content)
      const { headers } = await sendPresigned({ url })
      expect(headers).to.include({
        'content-type': pinned.contentType,
        'content-disposition': pinned.contentDisposition,
      })
      const dropped = url.replace(/attachment/, 'inline')
      await expectRefused({ url: dropped })
    })

    test('give what is there when they are used', async ({ driver }) => {
      const url = await presigner(driver).readUrl(at, reading)
      expect((await sendPresigned({ url })).status).to.equal(404)
      await put(driver, at, 'first')
      await put(driver, at, 'second')
      expect(String((await sendPresigned({ url })).body)).to.equal('second')
    })

    test('do nothing else, and nothing elsewhere', async ({ driver }) => {
      await put(driver, at, content)
      await put(driver, elsewhere, 'of another')
      const url = await presigner(driver).readUrl(at, reading)
      const name = (of: Key) => encodeURIComponent(of.slice(of.lastIndexOf('/') + 1))
      const moved = url.replace(name(at), name(elsewhere))
      expect(moved).to.not.equal(url)
      await expectRefused({ url: moved })
      for (const method of ['PUT', 'DELETE']) {
        await expectRefused({ method, url, headers: { 'Content-Length': '0' } })
      }
      expect((await get(driver, at)).text).to.equal(content)
    })

    test('are refused for a life that cannot be', async ({ driver }) => {
      for (const expiresInSeconds of impossibleLives) {
        await failure(presigner(driver).readUrl(at, { expiresInSeconds }), 'backend')
      }
    })
  })
}

function describeUploads({ test, contentEtags }: Suite): void {
  describe('that store', () => {
    test('do exactly what they were made for', async ({ driver }) => {
      const uploads = uploadsOf(driver)
      for (const text of [content, '']) {
        const options = { ...uploading, size: text.length, contentType: 'Text/X-Told; charset="utf-8"' }
        const before = Date.now()
        const upload = await uploads.presign(at, { ...options, cacheControl: 'no-cache' })
        expect(upload.expiresMs).to.be.within(before + 58_000, Date.now() + 60_000)
        const { status, headers } = await sendPresigned(uploadRequest(upload, Buffer.from(text)))
        expect(status).to.be.within(200, 204)
        const { info, text: stored } = await get(driver, at)
        expect(stored).to.equal(text)
        const { etagHeader = null } = upload
        if (etagHeader !== null) expect(bare(headers[etagHeader.toLowerCase()])).to.equal(info.etag)
        expect(info).to.include({ size: text.length, contentType: options.contentType })
      }
    })

    for (const { title, headers, body = content, method, changeUrl } of tamperings) {
      test(`change nothing with ${title}`, async ({ driver }) => {
        const uploads = uploadsOf(driver)
        const former = await put(driver, at, 'former')
        const upload = await uploads.presign(at, uploading)
        const request = uploadRequest(upload, Buffer.from(body), headers)
        const url = changeUrl?.(request.url) ?? request.url
        expect(url !== request.url).to.equal(changeUrl !== undefined)
        await expectRefused({ ...request, url, ...(method === undefined ? {} : { method }) })
        expect(await driver.stat(at)).to.deep.equal(former)
        const { entries } = await driver.list('1ConformanceSuiteAddress/', { limit: 10, cursor: null })
        expect(entries).to.have.length(1)
      })
    }

    test('create only once, and not where something is', async ({ driver }) => {
      const uploads = uploadsOf(driver)
      const upload = await uploads.presign(at, { ...uploading, condition: { ifNoneMatch: '*' } })
      await expectRefused(uploadRequest(upload, Buffer.from(content), withoutConditions(upload.headers)))
      expect(await driver.stat(at)).to.equal(null)
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) => sendPresigned(uploadRequest(upload, numbered(i)))),
      )
      const statuses = outcomes.map(({ status }) => status)
      expect(statuses.filter((status) => status < 300)).to.have.length(1)
      expect((await get(driver, at)).text).to.equal(
        String(numbered(statuses.findIndex((status) => status < 300))),
      )
      expect((await sendPresigned(uploadRequest(upload, Buffer.from(other)))).status).to.equal(412)
    })

    const distinct = contentEtags ? ' with other bytes' : ''
    test(`replace one version once${distinct}`, async ({ driver }) => {
      const uploads = uploadsOf(driver)
      const former = await put(driver, at, 'former')
      const current = await put(driver, at, 'current')
      const [stale, right] = [
        await uploads.presign(at, { ...uploading, condition: { ifMatch: former.etag } }),
        await uploads.presign(at, { ...uploading, condition: { ifMatch: current.etag } }),
      ]
      expect((await sendPresigned(uploadRequest(stale, Buffer.from(content)))).status).to.equal(412)
      await expectRefused(uploadRequest(right, Buffer.from(content), withoutConditions(right.headers)))
      expect(await driver.stat(at)).to.deep.equal(current)
      expect((await sendPresigned(uploadRequest(right, Buffer.from(content)))).status).to.be.within(200, 204)
      expect((await sendPresigned(uploadRequest(right, Buffer.from(other)))).status).to.equal(412)
      expect((await get(driver, at)).text).to.equal(content)
    })

    test('are refused for a life, a size or an etag that cannot be', async ({ driver }) => {
      const uploads = uploadsOf(driver)
      for (const expiresInSeconds of impossibleLives) {
        await failure(uploads.presign(at, { ...uploading, expiresInSeconds }), 'backend')
      }
      for (const size of [-1, 1.5, Number.NaN, uploads.maxBytes + 1]) {
        await failure(uploads.presign(at, { ...uploading, size }), 'backend')
      }
      for (const ifMatch of ['*', 'a"b', '', 'a\r\nb', 'x'.repeat(20_000)]) {
        const condition = { ifMatch }
        await failure(uploads.presign(at, { ...uploading, condition }), 'precondition_failed')
      }
    })
  })
}

function presigner({ presign }: Driver): Presigner {
  if (presign === undefined) throw new Error('the driver presigns nothing')
  return presign
}

function uploadsOf(driver: Driver): PresignedUploads {
  const { uploads } = presigner(driver)
  if (uploads === null) throw new Error('the driver presigns no uploads')
  return uploads
}

/** Refused by its status, or by an end of the connection. */
async function expectRefused(request: Parameters<typeof sendPresigned>[0]): Promise<void> {
  const status = await sendPresigned(request).then(
    (answer) => answer.status,
    () => 400,
  )
  expect(status).to.be.within(400, 499)
}

function withoutConditions(headers: Readonly<Record<string, string>>): Record<string, undefined> {
  const names = Object.keys(headers).filter((name) => /match$/i.test(name))
  expect(names).to.have.length(1)
  return Object.fromEntries(names.map((name) => [name, undefined]))
}

/** As long as {@link content}, and different for each. */
function numbered(i: number): Buffer {
  return Buffer.from(String(i).padEnd(content.length, '.'))
}

/** An etag without its quotes. */
function bare(etag: string | string[] | undefined): string {
  return String(etag).replaceAll('"', '')
}
