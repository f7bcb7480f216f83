import { expect } from 'chai'
import { failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { type Driver, maxPresignSeconds, type PresignedUpload } from '../../drivers/driver.ts'
import { authKey, parseAddress } from '../../drivers/key.ts'
import { s3Driver } from '../../drivers/s3/index.ts'
import { uploadsBy } from '../../drivers/s3/presign.ts'
import { openStore } from '../../drivers/s3/start.ts'
import type { Store } from '../../drivers/s3/store.ts'
import { sendPresigned, uploadRequest } from '../../drivers/send-presigned.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { type S3Harness, s3Harness } from './s3-harness.ts'

const at = key('photos/cat.txt')
const record = authKey(parseAddress('1ConformanceSuiteAddress'), 'authTimestamp')
const empty = { expiresInSeconds: maxPresignSeconds, size: 0, contentType: 'text/plain' }

/** Sends nothing but headers that nobody signed. */
async function sendEmpty(upload: PresignedUpload, header: string, value: string): Promise<number> {
  return (await sendPresigned(uploadRequest(upload, Buffer.alloc(0), { [header]: value }))).status
}

describe('what S3 holds a presigned upload to, where the server passes over headers that nobody signed', () => {
  let harness: S3Harness
  let driver: Driver
  before(async function () {
    this.timeout(installMs)
    harness = await s3Harness({ presign: true })
    driver = harness.driver
  })
  beforeEach(async () => {
    await put(driver, at, 'former')
    await put(driver, record, '1700000000')
  })
  after(() => harness.close())

  const presignedEmpty = async (): Promise<PresignedUpload> => {
    const upload = await driver.presign?.uploads?.presign(at, empty)
    if (upload === undefined) throw new Error('the driver presigns no uploads')
    return upload
  }

  for (const name of ['x-amz-copy-source', 'X-Amz-Copy-Source', 'x_amz_copy_source']) {
    it(`does not let mallory have a record of the hub copied to where she may write: ${name}`, async () => {
      const status = await sendEmpty(await presignedEmpty(), name, `/${harness.bucket.name}/${record}`)
      expect(status).to.be.within(400, 499)
      expect((await get(driver, at)).text).to.equal('former')
    })
  }

  for (const [what, name, value] of [
    ['open the object to all', 'x-amz-acl', 'public-read-write'],
    [
      'give the object away',
      'x-amz-grant-full-control',
      'uri=http://acs.amazonaws.com/groups/global/AllUsers',
    ],
    ['have what she overwrites taken for deleted', 'x-amz-meta-mandate-deleted', 'true'],
    ['tell another type than she was allowed', 'x-amz-meta-mandate-type', 'dGV4dC9odG1s'],
    ['tell another type in UTF-8', 'x-amz-meta-mandate-type-utf8', 'dGV4dC9odG1s'],
    ['pass for a write of the hub', 'x-amz-meta-mandate-write', 'x'],
    ['lock the object', 'x-amz-object-lock-legal-hold', 'ON'],
    ['send readers elsewhere', 'x-amz-website-redirect-location', 'https://mallory.example/'],
    ['encrypt it by a key of hers', 'x-amz-server-side-encryption-customer-algorithm', 'AES256'],
    ['have it served as compressed', 'content-encoding', 'gzip'],
  ] as const) {
    it(`does not let mallory ${what}`, async () => {
      const former = await driver.stat(at)
      expect(await sendEmpty(await presignedEmpty(), name, value)).to.be.within(400, 499)
      expect(await driver.stat(at)).to.deep.equal(former)
    })
  }

  it('is needed: without it this server copies whatever the hub can read', async () => {
    const store = await openStore(harness.options)
    try {
      const upload = await uploadsBy({ store, client: store.client }, 'plain').presign(at, empty)
      await sendEmpty(upload, 'x-amz-copy-source', `/${harness.bucket.name}/${record}`)
      expect((await get(driver, at)).text).to.equal('1700000000')
    } finally {
      store.client.destroy()
    }
  })

  it('is signed whole also where a server by itself refuses what nobody signed', async () => {
    const store = await openStore(harness.options)
    try {
      const options = { ...empty, size: 1, cacheControl: 'no-cache', condition: { ifMatch: 'x' } }
      const upload = await uploadsBy({ store, client: store.client }, 'plain').presign(at, options)
      const signed = new URL(upload.url).searchParams.get('X-Amz-SignedHeaders')?.split(';')
      const sent = Object.keys(upload.headers).map((name) => name.toLowerCase())
      expect(signed).to.have.members(['host', ...sent])
      expect(sent).to.have.members(['content-length', 'content-type', 'cache-control', 'if-match'])
    } finally {
      store.client.destroy()
    }
  })

  for (const contentType of ['text/plain;  two="spaces"', 'text/plain\t;a=b', 'text/ü', 'text/日本']) {
    it(`keeps a type that no header carries unchanged: ${contentType}`, async () => {
      const upload = await driver.presign?.uploads?.presign(at, { ...empty, size: 3, contentType })
      if (upload === undefined) throw new Error('the driver presigns no uploads')
      expect((await sendPresigned(uploadRequest(upload, Buffer.from('abc')))).status).to.equal(200)
      expect((await driver.stat(at))?.contentType).to.equal(contentType)
    })
  }

  it('presigns for names that there is room for only', async () => {
    const long = key('a'.repeat(1024))
    await failure(Promise.resolve(driver.presign?.readUrl(long, { expiresInSeconds: 1 })), 'invalid_key')
    await failure(Promise.resolve(driver.presign?.uploads?.presign(long, empty)), 'invalid_key')
  })
})

describe('S3 presigns', () => {
  let harness: S3Harness
  const opened: (Driver | Store)[] = []
  before(async function () {
    this.timeout(installMs)
    harness = await s3Harness()
  })
  after(async () => {
    for (const one of opened) await ('close' in one ? one.close() : one.client.destroy())
    await harness.close()
  })
  const open = async (more: object): Promise<Driver> => {
    const driver = await s3Driver({ ...harness.options, ...more })
    opened.push(driver)
    return driver
  }

  it('nothing unless it is asked to', () => {
    expect(harness.driver.presign).to.equal(undefined)
  })

  it('reads alone for whoever only reads, and writes nothing to find that out', async () => {
    const driver = await open({ presign: true, access: 'read' })
    expect(driver.presign?.uploads).to.equal(null)
    await put(harness.driver, at, 'there')
    const url = (await driver.presign?.readUrl(at, { expiresInSeconds: 60 })) ?? ''
    expect(String((await sendPresigned({ url })).body)).to.equal('there')
    await harness.driver.delete(at)
  })

  it('for the address at which clients reach the service', async () => {
    const presignEndpoint = 'https://objects.example.org'
    const driver = await open({ presign: true, presignEndpoint })
    const upload = await driver.presign?.uploads?.presign(at, { ...empty, size: 4 })
    expect(upload?.url).to.match(/^https:\/\/objects\.example\.org\/test-/)
    if (upload === undefined) return
    // As a proxy at that address would hand it on.
    const url = upload.url.replace(presignEndpoint, (await cephServer()).endpoint)
    const request = uploadRequest({ ...upload, url }, Buffer.from('here'), { host: 'objects.example.org' })
    expect((await sendPresigned(request)).status).to.equal(200)
    expect((await get(driver, at)).text).to.equal('here')
  })

  it('and leaves nothing behind of what it tried at its start', async () => {
    await harness.bucket.empty()
    await open({ presign: true })
    expect(await harness.bucket.keys()).to.deep.equal([])
  })
})
