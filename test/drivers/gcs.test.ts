import { expect } from 'chai'
import { get, key, put } from '../../drivers/conformance/harness.ts'
import { driverConformance } from '../../drivers/conformance/index.ts'
import { canHold } from '../../drivers/gcs/object-info.ts'
import { emptiedAfterEach, type GcsHarness, gcsHarness, presigning, withGcsServer } from './gcs-harness.ts'

describe('Google Cloud Storage', () => {
  const server = withGcsServer(presigning.server)
  let harness: GcsHarness
  before(async () => {
    harness = await gcsHarness(server(), presigning.driver)
  })
  after(() => harness.close())

  driverConformance('gcs', async () => emptiedAfterEach(harness), { canHold, presigns: 'uploads' })
})

describe('a storage that says no more than it must', () => {
  const server = withGcsServer({ isTerse: true })
  driverConformance('gcs, terse', () => gcsHarness(server()), { canHold })

  it('copies one version, in however many calls', async () => {
    const harness = await gcsHarness(server())
    const { driver } = harness
    const [from, to] = [key('from'), key('to')]
    await put(driver, from, 'a'.repeat(3_000_000))
    let calls = 0
    server().fault = (request) => {
      const isNext = request.includes('rewriteToken') && calls++ < 3
      if (isNext) {
        const bytes = Buffer.alloc(3_000_000, 'bcd'.charAt(calls - 1))
        server().store.insert(harness.bucket, from, bytes, {}, new URLSearchParams())
      }
      return null
    }
    const { size } = await driver.copy(from, to)
    const { text } = await get(driver, to)
    expect(size).to.equal(3_000_000)
    expect(text).to.equal(text.charAt(0).repeat(3_000_000))
    expect(calls).to.be.greaterThan(3)
    await harness.close()
  })
})
