import { expect } from 'chai'
import { bodyOf, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { driverConformance } from '../../drivers/conformance/index.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { type AzureStorage, azureHarness, azureStorage } from './azure-harness.ts'

const blockBytes = 1024 * 1024
const uploadConcurrency = 2

describe('azure', () => {
  let storage: AzureStorage
  before(async () => {
    storage = await azureStorage(await sharedAzurite(), { blockBytes, uploadConcurrency })
  })
  after(() => storage.close())

  driverConformance('azure', async () => azureHarness(storage), {
    presigns: 'reads',
    // The blocks under way, the one that fills, and the one that is about to be sent.
    readAheadBytes: (uploadConcurrency + 2) * blockBytes,
    // Azurite writes lists as XML that it cannot write such a character in; the service itself can.
    canHold: (name) => name.length <= 1024 && !/[\ufffe\uffff]/.test(name),
  })

  for (const etag of [
    '*',
    '"*"',
    '',
    'a"b',
    'W/"0x1"',
    'ü',
    'a,b',
    'a b',
    'a\r\nx-ms-lease-id: b',
    'x'.repeat(20_000),
  ]) {
    it(`an etag that can be none is that of no version: ${JSON.stringify(etag.slice(0, 20))}`, async () => {
      const { driver } = storage
      const at = key('there')
      const { etag: current } = await put(driver, at, 'x')
      const condition = { ifMatch: etag }
      for (const attempt of [
        () => driver.read(at, condition),
        () => driver.read(at, { ...condition, range: { suffix: 1 } }),
        () => driver.copy(at, key('copy'), condition),
        () => driver.delete(at, { condition }),
        () => driver.write(at, bodyOf('y'), { contentType: 'a/b', condition, size: 1 }),
        () => put(driver, at, 'y', { condition }),
      ]) {
        expect((await failure(attempt(), 'precondition_failed')).etag).to.equal(current)
      }
      expect((await get(driver, at)).text).to.equal('x')
      expect(await driver.read(key('nothing'), condition)).to.equal(null)
      await storage.empty()
    })
  }
})
