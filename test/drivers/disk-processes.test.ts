import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Condition, Driver } from '../../drivers/driver.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { startWorker, type Worker } from './disk-child.ts'
import { type DiskHarness, diskHarness } from './disk-harness.ts'

const races = 100

/** Two processes over one folder. */
describe('disk driver: conditions between two processes', () => {
  let harness: DiskHarness
  let workers: readonly [Worker, Worker]

  before(async () => {
    harness = await diskHarness()
    workers = await Promise.all([startWorker({ root: harness.root }), startWorker({ root: harness.root })])
  })

  after(async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
    await harness.close()
  })

  it(`has one winner in each of ${races} races on one etag`, async () => {
    const name = '1Race/updated'
    const start = await harness.driver.write(parseKey(name), Readable.from(['start']), { contentType: 'a/b' })
    let etag = start.etag
    for (let race = 0; race < races; race++)
      etag = await runRace(harness.driver, workers, name, { ifMatch: etag })
  }).timeout(30_000)

  it(`has one winner in each of ${races} races to create`, async () => {
    for (let race = 0; race < races; race++) {
      await runRace(harness.driver, workers, `1Race/created/${race}`, { ifNoneMatch: '*' })
    }
  }).timeout(30_000)
})

/** Both write at once; answers with the etag of the one that won. */
async function runRace(
  driver: Driver,
  workers: readonly [Worker, Worker],
  name: string,
  condition: Condition,
): Promise<string> {
  const contents = ['of the first', 'of the second']
  for (const [i, worker] of workers.entries()) {
    worker.order({ do: 'race', key: name, condition, content: contents[i] ?? '' })
  }
  const reports = await Promise.all(workers.map((worker) => worker.next()))
  const won = reports.map(
    (report) => typeof report === 'object' && 'outcome' in report && report.outcome === 'won',
  )
  expect(won.filter(Boolean)).to.have.length(1)
  const result = await driver.read(parseKey(name))
  if (result === null) throw new Error('the winner is absent')
  expect(await text(result.body)).to.equal(contents[won.indexOf(true)])
  for (const report of reports) {
    // The loser is told the etag of the winner.
    expect(typeof report === 'object' && 'etag' in report && report.etag).to.equal(result.info.etag)
  }
  return result.info.etag
}
