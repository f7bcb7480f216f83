import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'
import { failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { type DriverHarness, driverConformance } from '../../drivers/conformance/index.ts'
import { createDriver } from '../../drivers/example-plugin/index.ts'

async function makeHarness(): Promise<DriverHarness & { location: string }> {
  const location = await mkdtemp(join(tmpdir(), 'mandate-level-'))
  let driver = await createDriver({ location })
  return {
    location,
    get driver() {
      return driver
    },
    async leftovers() {
      await driver.close()
      const left = await strayNames(location)
      driver = await createDriver({ location })
      return left
    },
    async close() {
      await driver.close()
      await rm(location, { recursive: true })
    },
  }
}

/** Names in the database that belong to no object. */
async function strayNames(location: string): Promise<string[]> {
  const database = new ClassicLevel(location)
  const names = await database.keys().all()
  const etags = (await database.iterator({ gte: 'o', lt: 'p' }).all()).map(([, info]) => etagIn(info))
  await database.close()
  return names.filter((name) => !name.startsWith('o') && !etags.some((etag) => name.startsWith(`c${etag}`)))
}

function etagIn(record: string): string {
  const info: unknown = JSON.parse(record)
  return typeof info === 'object' && info !== null && 'etag' in info ? String(info.etag) : ''
}

driverConformance('example plugin', makeHarness, { shared: false })

describe('the example plugin', () => {
  let harness: Awaited<ReturnType<typeof makeHarness>>
  beforeEach(async () => {
    harness = await makeHarness()
  })
  afterEach(() => harness.close())

  it('keeps what it has from one process to the next', async () => {
    const content = Buffer.alloc(3_000_000, 'abc')
    const written = await put(harness.driver, key('a'), content, { contentType: 'a/b' })
    await harness.driver.close()
    const again = await createDriver({ location: harness.location })
    const { info, text } = await get(again, key('a'))
    expect(info).to.deep.equal(written)
    expect(text === content.toString()).to.equal(true)
    await again.close()
  })

  it('lets one process in at a time', async () => {
    const error = await failure(createDriver({ location: harness.location }), 'unavailable')
    expect(error.message).to.include('in use')
    expect(error.message).to.not.include(harness.location)
  })

  it('clears at its start what an upload has left that ended with its process', async () => {
    await put(harness.driver, key('a'), Buffer.alloc(200_000))
    await harness.driver.close()
    const database = new ClassicLevel(harness.location)
    await database.batch([
      { type: 'put', key: 'wabc', value: '' },
      { type: 'put', key: 'cabc00000000', value: 'x' },
      { type: 'put', key: 'cabc00000001', value: 'x' },
    ])
    await database.close()
    const again = await createDriver({ location: harness.location })
    expect((await get(again, key('a'))).info.size).to.equal(200_000)
    await again.close()
    expect(await strayNames(harness.location)).to.deep.equal([])
  })

  it('leaves nothing of a large upload whose condition fails at its end', async () => {
    const { driver } = harness
    const { etag } = await put(driver, key('a'), 'former')
    const body = async function* () {
      yield Buffer.alloc(3_000_000)
      await put(driver, key('a'), 'theirs', { condition: { ifMatch: etag } })
    }
    const options = { contentType: 'a/b', condition: { ifMatch: etag } }
    await failure(driver.write(key('a'), Readable.from(body()), options), 'precondition_failed')
    expect((await get(driver, key('a'))).text).to.equal('theirs')
    expect(await harness.leftovers()).to.deep.equal([])
  })

  it('is unavailable once it is closed', async () => {
    await harness.driver.close()
    await failure(harness.driver.stat(key('a')), 'unavailable')
    await failure(harness.driver.read(key('a')), 'unavailable')
    await failure(harness.driver.check(), 'unavailable')
  })

  for (const options of [
    undefined,
    null,
    {},
    { location: '' },
    { location: 7 },
    { location: 'x', other: 1 },
  ]) {
    it(`refuses the options ${JSON.stringify(options)}`, async () => {
      await failure(createDriver(options), 'backend')
    })
  }
})
