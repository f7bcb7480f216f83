import { expect } from 'chai'
import { failure, get, key, put } from '../../drivers/conformance/harness.ts'
import type { Driver, PresignedUpload } from '../../drivers/driver.ts'
import { sendPresigned, uploadRequest } from '../../drivers/send-presigned.ts'
import { account } from '../servers/gcs-account.ts'
import { type GcsHarness, gcsHarness, presigning, withGcsServer } from './gcs-harness.ts'

const at = key('photos/cat.txt')
const content = Buffer.from('a cat')
const options = { expiresInSeconds: 60, size: content.length, contentType: 'text/plain' }

async function presigned({ presign }: Driver): Promise<PresignedUpload> {
  if (presign?.uploads == null) throw new Error('the driver presigns no uploads')
  return await presign.uploads.presign(at, options)
}

describe('Google Cloud Storage presigns', () => {
  const server = withGcsServer(presigning.server)
  let harness: GcsHarness
  before(async () => {
    harness = await gcsHarness(server(), presigning.driver)
  })
  beforeEach(() => put(harness.driver, at, 'former'))
  after(() => harness.close())

  for (const [name, value] of [
    ['x-goog-copy-source', 'bucket/1ConformanceSuiteAddress-auth/authTimestamp'],
    ['x-goog-acl', 'public-read'],
    ['x-goog-meta-mandate-write', 'x'],
    ['x-goog-if-generation-match', '0'],
    ['x-amz-acl', 'public-read'],
  ] as const) {
    it(`nothing that mallory could add ${name} to`, async () => {
      const request = uploadRequest(await presigned(harness.driver), content, { [name]: value })
      expect((await sendPresigned(request)).status).to.equal(400)
      expect((await get(harness.driver, at)).text).to.equal('former')
    })
  }

  it('nothing that mallory could bring another size to, whatever length she tells', async () => {
    const upload = await presigned(harness.driver)
    for (const range of ['0,1000000', undefined]) {
      const changes = { 'x-goog-content-length-range': range, 'content-length': '11' }
      const request = uploadRequest(upload, Buffer.from('another cat'), changes)
      expect((await sendPresigned(request)).status).to.be.within(400, 403)
    }
    expect((await get(harness.driver, at)).text).to.equal('former')
  })

  it('with a signature of its own key, which no other account can give', async () => {
    const upload = await presigned(harness.driver)
    const mallory = account('mallory@project.iam')
    const url = upload.url.replace('alice%40', 'mallory%40')
    expect(url).to.not.equal(upload.url)
    expect((await sendPresigned(uploadRequest({ ...upload, url }, content))).status).to.equal(403)
    const forging = { ...presigning.driver, credentials: mallory.credentials }
    await failure(gcsHarness(server(), forging), 'backend')
  })

  it('for names that there is room for only', async () => {
    const { presign } = harness.driver
    const long = key('a'.repeat(1024))
    await failure(Promise.resolve(presign?.readUrl(long, { expiresInSeconds: 1 })), 'invalid_key')
    await failure(Promise.resolve(presign?.uploads?.presign(long, options)), 'invalid_key')
  })
})

describe('Google Cloud Storage presigns no uploads', () => {
  const emulator = withGcsServer({ ignoreSignatures: true })
  const own = withGcsServer(presigning.server)

  it('where the storage does not look at signatures', async () => {
    const harness = await gcsHarness(emulator(), presigning.driver)
    expect(harness.driver.capabilities.presign).to.equal(true)
    expect(harness.driver.presign?.uploads).to.equal(null)
    expect(emulator().store.bucket(harness.bucket).size).to.equal(0)
    await harness.close()
  })

  it('and no reads either, where it is nobody', async () => {
    const harness = await gcsHarness(emulator(), { presign: true })
    expect(harness.driver.presign).to.equal(undefined)
    await harness.close()
  })

  it('for whoever only reads', async () => {
    const harness = await gcsHarness(own(), presigning.driver)
    const reader = await gcsHarness(own(), { ...presigning.driver, bucket: harness.bucket, access: 'read' })
    expect(reader.driver.presign?.uploads).to.equal(null)
    await put(harness.driver, at, 'there')
    const url = (await reader.driver.presign?.readUrl(at, { expiresInSeconds: 60 })) ?? ''
    expect(String((await sendPresigned({ url })).body)).to.equal('there')
    await reader.driver.close()
    await harness.close()
  })
})
