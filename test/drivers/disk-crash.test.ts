import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { DiskDriverOptions } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import type { Key } from '../../drivers/key.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { startWorker, type Worker } from './disk-child.ts'
import { diskHarness, filesBelow } from './disk-harness.ts'
import { contentOf, versionOf } from './versions.ts'

const kills = Number(process.env.MANDATE_CRASH_KILLS ?? 40)
const at = parseKey('1Crash/folder/overwritten')

/** Kills writers in the middle of what they do, while somebody reads. */
describe('disk driver: kill -9 during overwrites', () => {
  const cases: ReadonlyArray<[string, Omit<DiskDriverOptions, 'root'>]> = [
    ['', {}],
    [', without extended attributes', { attributes: false }],
  ]
  for (const [title, options] of cases) {
    it(`leaves a whole version with its own type and etag, and none that was answered is lost${title}`, async function () {
      this.timeout(20_000 + kills * 1000)
      const harness = await diskHarness(options)
      try {
        await crashAgainAndAgain(harness.driver, { root: harness.root, ...options }, kills / cases.length)
        const other = await harness.second()
        await other.close()
        const temp = (await filesBelow(join(harness.root, '.mandate/tmp'))).filter(
          (path) => !path.endsWith('/lock'),
        )
        expect(temp, 'temp files of the dead').to.deep.equal([])
      } finally {
        await harness.close()
      }
    })
  }
})

async function crashAgainAndAgain(driver: Driver, options: DiskDriverOptions, times: number): Promise<void> {
  const watch = new Watch(driver, at)
  let answered = 0
  // The next process starts while this one writes, so that a kill costs no start-up time.
  let next = startWorker(options)
  for (let kill = 0; kill < times; kill++) {
    const worker = await next
    next = startWorker(options)
    worker.order({ do: 'loop', key: at, from: answered + 1 })
    await worker.next()
    await watch.during(sleep(Math.random() * 60).then(() => worker.kill()))
    answered = Math.max(answered, lastAnswered(worker))
    const version = await watch.look()
    // Newer ones may be there: under way, or done while the report of them was.
    expect(version, 'the version that was answered is gone').to.be.at.least(answered)
    answered = version
  }
  await (await next).kill()
  expect(watch.seen.size).to.be.greaterThan(times)
}

function lastAnswered(worker: Worker): number {
  const versions = worker
    .take()
    .map((report) => (typeof report === 'object' && 'done' in report ? report.done : 0))
  return Math.max(0, ...versions)
}

/** Reads one key again and again, and fails on anything but a whole version with its own type and etag. */
class Watch {
  readonly #driver: Driver
  readonly #key: Key
  /** The version that each etag belongs to. */
  readonly seen = new Map<string, number>()
  #newest = 0

  constructor(driver: Driver, key: Key) {
    this.#driver = driver
    this.#key = key
  }

  async during(time: Promise<void>): Promise<void> {
    let over = false
    const end = time.then(() => {
      over = true
    })
    while (!over) await this.look()
    await end
  }

  /** The number of the version that is there. */
  async look(): Promise<number> {
    const result = await this.#driver.read(this.#key)
    if (result === null) throw new Error('the file is absent')
    const { info } = result
    const bytes = await buffer(result.body)
    const version = versionOf(info.contentType)
    if (!bytes.equals(contentOf(version))) {
      throw new Error(
        `${bytes.length} bytes that begin ${bytes.toString('utf8', 0, 9)} are typed ${info.contentType}`,
      )
    }
    expect(info.size).to.equal(bytes.length)
    expect(this.seen.get(info.etag) ?? version, 'an etag of another version').to.equal(version)
    expect(version, 'an older version came back').to.be.at.least(this.#newest)
    this.seen.set(info.etag, version)
    this.#newest = version
    return version
  }
}
