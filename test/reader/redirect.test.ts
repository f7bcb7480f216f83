import { expect } from 'chai'
import type { Driver } from '../../drivers/driver.ts'
import { authKey } from '../../drivers/key.ts'
import { type RedirectOptions, readerApp } from '../../reader/app.ts'
import { cachingWithin } from '../../reader/redirect.ts'
import { azureStorage } from '../drivers/azure-harness.ts'
import { gcsHarness, presigning, withGcsServer } from '../drivers/gcs-harness.ts'
import { s3Harness } from '../drivers/s3-harness.ts'
import { closeServers, type Served, serve } from '../http/serve.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { openToAll } from '../servers/s3-bucket.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { alice, ask, cacheControl, keyOf, put } from './answers.ts'

interface Opened {
  driver: Driver
  redirect: RedirectOptions
  /** How an address at which clients are sent begins. */
  place: string
  close(): Promise<void>
}

const thresholdBytes = 4

function presigned(driver: Driver): RedirectOptions {
  if (driver.presign === undefined) throw new Error('the driver presigns nothing')
  return { to: 'presigned', presigner: driver.presign, thresholdBytes }
}

function toPublic(baseUrl: string): RedirectOptions {
  return { to: 'public', baseUrl, thresholdBytes }
}

/** Storages to which clients are sent; each opens one within its suite. */
const storages: readonly [name: string, suite: () => () => Promise<Opened>][] = [
  [
    'presigned URLs of S3',
    () => {
      before(startCeph)
      return async () => {
        const harness = await s3Harness({ presign: true })
        const { driver, options, bucket } = harness
        const place = `${options.endpoint}/${bucket.name}/`
        return { driver, redirect: presigned(driver), place, close: () => harness.close() }
      }
    },
  ],
  [
    'a public bucket of S3',
    () => {
      before(startCeph)
      return async () => {
        const harness = await s3Harness()
        const { driver, options, bucket } = harness
        await openToAll(bucket)
        const place = `${options.endpoint}/${bucket.name}/`
        return { driver, redirect: toPublic(place), place, close: () => harness.close() }
      }
    },
  ],
  [
    'presigned URLs of Cloud Storage',
    () => {
      const server = withGcsServer(presigning.server)
      return async () => {
        const harness = await gcsHarness(server(), presigning.driver)
        const { driver, bucket } = harness
        const place = `${server().url}/${bucket}/`
        return { driver, redirect: presigned(driver), place, close: () => harness.close() }
      }
    },
  ],
  [
    'a public bucket of Cloud Storage',
    () => {
      const server = withGcsServer()
      return async () => {
        const harness = await gcsHarness(server())
        const { driver, bucket } = harness
        const place = `${server().url}/${bucket}/`
        // Without its slash: an operator need not know.
        return { driver, redirect: toPublic(place.slice(0, -1)), place, close: () => harness.close() }
      }
    },
  ],
  [
    'presigned URLs of Azure',
    () => async () => {
      const server = await sharedAzurite()
      const storage = await azureStorage(server)
      const { driver, options } = storage
      const place = `${server.endpoint}/${options.container}/`
      return { driver, redirect: presigned(driver), place, close: () => storage.close() }
    },
  ],
]

async function startCeph(this: Mocha.Context): Promise<void> {
  this.timeout(installMs)
  await cephServer()
}

const files = [
  { path: 'notes/digits.txt', content: '0123456789', contentType: 'text/plain' },
  { path: 'a b/100%/#1?/"ü" +&=;,.txt', content: 'awkward', contentType: 'text/plain; charset=UTF-8' },
  { path: '日本/😀', content: 'deep', contentType: 'application/json' },
  { path: 'page.html', content: '<script>alert(1)</script>', contentType: 'text/html' },
] as const
const digits = files[0]

for (const [name, suite] of storages) {
  describe(`a reader that sends clients to ${name}`, () => {
    const open = suite()
    let opened: Opened
    let server: Served
    before(async () => {
      opened = await open()
      const { driver, redirect } = opened
      for (const { path, content, contentType } of files) {
        await put(driver, keyOf(path), content, contentType)
      }
      await put(driver, authKey(alice, 'authTimestamp'), '1700000000', 'text/plain')
      server = await serve((logger) => readerApp({ driver, logger, cacheControl, redirect }))
    })
    after(async () => {
      await closeServers()
      await opened.close()
    })

    const urlOf = (path: string) => `/${alice}/${path.split('/').map(encodeURIComponent).join('/')}`
    const isPresigned = () => opened.redirect.to === 'presigned'

    for (const { path, content, contentType } of files) {
      it(`leads to the same bytes and type: ${path}`, async () => {
        const answer = await ask(server.url, 'GET', urlOf(path))
        expect([answer.status, answer.body.length]).to.deep.equal([302, 0])
        expect(answer.headers).to.include({
          'access-control-allow-origin': '*',
          'content-security-policy': 'sandbox',
          'x-content-type-options': 'nosniff',
          'cache-control': cacheControl,
        })
        expect(answer.headers.location?.startsWith(opened.place)).to.equal(true)
        const followed = await fetch(`${server.url}${urlOf(path)}`)
        expect(followed.redirected).to.equal(true)
        expect(await followed.text()).to.equal(content)
        expect(followed.headers.get('content-type')).to.equal(contentType)
        expect(followed.headers.get('content-disposition')).to.equal(isPresigned() ? 'attachment' : null)
      })
    }

    it('leads to a range, which the client asks for again there', async () => {
      const url = `${server.url}${urlOf(digits.path)}`
      const part = await fetch(url, { headers: { Range: 'bytes=2-5' } })
      expect([part.redirected, part.status, await part.text()]).to.deep.equal([true, 206, '2345'])
    })

    it('says what it can say by itself: HEAD, 304, 404, 412, 416', async () => {
      const path = urlOf(digits.path)
      const head = await ask(server.url, 'HEAD', path)
      expect(head.status).to.equal(200)
      expect(head.headers).to.include({ 'content-length': '10', 'content-type': 'text/plain' })
      const etag = head.headers.etag ?? ''
      const rows: [Record<string, string>, number][] = [
        [{ 'If-None-Match': etag }, 304],
        [{ 'If-Modified-Since': 'Sun, 06 Nov 2044 08:49:37 GMT' }, 304],
        [{ 'If-Match': '"another"' }, 412],
        [{ 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 412],
        [{ Range: 'bytes=10-' }, 416],
      ]
      for (const [headers, status] of rows) {
        expect((await ask(server.url, 'GET', path, headers)).status).to.equal(status)
      }
      expect((await ask(server.url, 'GET', urlOf('missing'))).status).to.equal(404)
    })

    it('sends by itself what is held to a version, which the storage may name otherwise', async () => {
      const path = urlOf(digits.path)
      const etag = (await ask(server.url, 'HEAD', path)).headers.etag ?? ''
      const rows: [Record<string, string>, number, string][] = [
        [{ 'If-Match': etag }, 200, '0123456789'],
        [{ 'If-Unmodified-Since': 'Sun, 06 Nov 2044 08:49:37 GMT' }, 200, '0123456789'],
        [{ 'If-Range': etag, Range: 'bytes=1-2' }, 206, '12'],
        [{ 'If-Range': '"another"', Range: 'bytes=1-2' }, 200, '0123456789'],
      ]
      for (const [headers, status, text] of rows) {
        const answer = await ask(server.url, 'GET', path, headers)
        expect([answer.status, String(answer.body)]).to.deep.equal([status, text])
        expect(answer.headers).to.include({ etag, 'cache-control': cacheControl })
      }
    })

    it('sends by itself what is small, and what has a type that no header carries unchanged', async () => {
      const { driver } = opened
      await put(driver, keyOf('small'), 'abc', 'text/plain')
      await put(driver, keyOf('odd'), 'abcdef', 'text/plain;  two="spaces"')
      for (const [path, text, type] of [
        ['small', 'abc', 'text/plain'],
        ['odd', 'abcdef', 'text/plain;  two="spaces"'],
      ] as const) {
        const answer = await ask(server.url, 'GET', urlOf(path))
        expect([answer.status, String(answer.body)]).to.deep.equal([200, text])
        expect(answer.headers['content-type']).to.equal(type)
      }
    })

    it('gives nobody a way to the records of the hub', async () => {
      for (const path of [
        `/${alice}-auth/authTimestamp`,
        `/${alice}%2Dauth/authTimestamp`,
        `/${alice}/../${alice}-auth/authTimestamp`,
        `/${alice}/..%2f${alice}-auth%2fauthTimestamp`,
      ]) {
        const answer = await ask(server.url, 'GET', path)
        expect(answer.status).to.equal(404)
        expect(answer.headers.location).to.equal(undefined)
      }
    })

    it('hides what was deleted, and shows what was overwritten, also behind a redirect that was kept', async () => {
      const { driver } = opened
      await put(driver, keyOf('kept'), 'first', 'text/plain')
      const { headers } = await ask(server.url, 'GET', urlOf('kept'))
      await put(driver, keyOf('kept'), 'second', 'text/plain')
      expect(await (await fetch(headers.location ?? '')).text()).to.equal('second')
      await driver.delete(keyOf('kept'))
      expect((await fetch(headers.location ?? '')).status).to.equal(404)
      expect((await ask(server.url, 'GET', urlOf('kept'))).status).to.equal(404)
    })
  })
}

describe('a redirect to a URL that expires may be kept', () => {
  for (const [cacheControlOfFiles, kept] of [
    ['no-cache', 'no-cache'],
    ['no-store', 'no-cache'],
    ['no-cache="x", max-age=60', 'no-cache'],
    ['public', 'no-cache'],
    ['max-age=10', 'public, max-age=10'],
    ['public, max-age=60', 'public, max-age=60'],
    ['Public,Max-Age=31536000, immutable', 'public, max-age=60'],
    ['private, max-age=600', 'private, max-age=60'],
    ['public, s-maxage=600', 'no-cache'],
    ['max-age=x', 'no-cache'],
  ] as const) {
    it(`${kept}, where files may be: ${cacheControlOfFiles}`, () => {
      expect(cachingWithin(cacheControlOfFiles, 60)).to.equal(kept)
    })
  }
})
