import { Readable } from 'node:stream'
import { expect } from 'chai'
import { azureDriver } from '../../drivers/azure/index.ts'
import { get, key, put } from '../../drivers/conformance/harness.ts'
import type { Condition, Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { type AzureStorage, azureStorage } from './azure-harness.ts'

const at = key('large')
const blockBytes = 50_000

describe('azure, uploads in blocks', () => {
  let storage: AzureStorage
  let other: Driver
  before(async () => {
    storage = await azureStorage(await sharedAzurite(), { blockBytes, uploadConcurrency: 2 })
    other = await azureDriver(storage.options)
  })
  afterEach(() => storage.empty())
  after(async () => {
    await other.close()
    await storage.close()
  })

  /** Six blocks that all say who sent them, with pauses in which another's get in between. */
  function large(writer: number): Readable {
    const blocks = async function* () {
      for (let i = 0; i < 6; i++) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        yield Buffer.alloc(blockBytes, `${writer},`)
      }
    }
    return Readable.from(blocks(), { objectMode: false })
  }

  /** Many at once over two instances. */
  async function race(condition?: Condition) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? storage.driver : other).write(at, large(i), {
          contentType: `writer/${i}`,
          ...(condition && { condition }),
        }),
      ),
    )
    const codes = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' && outcome.reason instanceof DriverError ? [outcome.reason.code] : [],
    )
    const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(winners.length + codes.length).to.equal(8)
    return { winners, codes }
  }

  async function expectWhole() {
    const { info, text } = await get(storage.driver, at)
    const writer = Number(info.contentType.slice('writer/'.length))
    const sent = Buffer.alloc(blockBytes, `${writer},`).toString().repeat(6)
    expect(text === sent, 'one body, whole').to.equal(true)
    return info
  }

  it('to one key at once are never mixed: one is there whole, and who was in its way is told so', async () => {
    for (let round = 0; round < 3; round++) {
      const { winners, codes } = await race()
      expect(new Set(codes)).to.satisfy((found: Set<string>) => [...found].every((code) => code === 'busy'))
      expect(winners).to.deep.include(await expectWhole())
    }
  })

  it('under a condition are won by one, and all others are told that it failed', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await race({ ifNoneMatch: '*' })
      expect(first.winners).to.have.length(1)
      expect(new Set(first.codes)).to.deep.equal(new Set(['precondition_failed']))
      const info = await expectWhole()
      expect(first.winners).to.deep.equal([info])
      const second = await race({ ifMatch: info.etag })
      expect(second.winners).to.deep.equal([await expectWhole()])
      expect(new Set(second.codes)).to.deep.equal(new Set(['precondition_failed']))
      await storage.empty()
    }
  })

  it('that fail leave no object, no name and no blocks that another would commit', async () => {
    for (let i = 0; i < 3; i++) {
      const broken = Readable.from(
        (async function* () {
          yield Buffer.alloc(blockBytes * 3, 'broken')
          throw new Error('gone')
        })(),
        { objectMode: false },
      )
      await storage.driver.write(at, broken, { contentType: 'a/b' }).then(
        () => expect.fail('it was stored'),
        (error: Error) => expect(error.message).to.equal('gone'),
      )
    }
    expect(await storage.names()).to.deep.equal([])
    expect(await storage.driver.stat(at)).to.equal(null)
    await put(storage.driver, at, Buffer.alloc(blockBytes * 2, 'whole'), { condition: { ifNoneMatch: '*' } })
    expect((await get(other, at)).info.size).to.equal(blockBytes * 2)
  })

  it('have whole blocks, however the pieces of the body are cut', async () => {
    for (const [piece, count] of [
      [1, 3],
      [blockBytes - 1, 5],
      [blockBytes, 2],
      [blockBytes + 1, 2],
      [blockBytes * 3, 1],
      [7, 20_000],
    ] as const) {
      const pieces = Array.from({ length: count }, (_, i) => Buffer.alloc(piece, `${i};`))
      const written = await storage.driver.write(at, Readable.from(pieces), { contentType: 'a/b' })
      expect(written.size).to.equal(piece * count)
      expect((await get(storage.driver, at)).text === Buffer.concat(pieces).toString()).to.equal(true)
    }
  })
})
