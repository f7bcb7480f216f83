import { readdirSync, readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { failure, get, put } from '../../drivers/conformance/harness.ts'
import { diskDriver } from '../../drivers/disk/index.ts'
import { KeyLocks } from '../../drivers/disk/key-locks.ts'
import { SharedRuns } from '../../drivers/disk/shared-runs.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { startWorker } from './disk-child.ts'
import { type DiskHarness, diskHarness, filesBelow } from './disk-harness.ts'

const at = parseKey('1Instances/a')

describe('disk driver: instances over one folder', () => {
  let harness: DiskHarness
  beforeEach(async () => {
    harness = await diskHarness()
  })
  afterEach(() => harness.close())

  it('one that starts leaves alone what the living are writing', async () => {
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const body = Readable.from(
      (async function* () {
        yield Buffer.from('begun ')
        await ended
        yield Buffer.from('and ended')
      })(),
    )
    const writing = harness.driver.write(at, body, { contentType: 'a/b' })
    await sleep(20)
    const second = await harness.second()
    const third = await harness.second()
    await third.close()
    end()
    await writing
    expect((await get(second, at)).text).to.equal('begun and ended')
    await second.close()
  })

  it('one that starts removes what the dead have left, whatever it is', async () => {
    const temp = join(harness.root, '.mandate/tmp')
    await mkdir(join(temp, 'dead'))
    await writeFile(join(temp, 'dead/7'), 'half of something')
    await writeFile(join(temp, 'dead/lock'), '')
    await mkdir(join(temp, 'died-early'))
    await writeFile(join(temp, 'stray'), 'x')
    const worker = await startWorker({ root: harness.root })
    await worker.kill()
    const second = await harness.second()
    expect(await readdir(temp)).to.have.length(2)
    await second.close()
    expect((await filesBelow(temp)).every((path) => path.endsWith('/lock'))).to.equal(true)
    expect(await readdir(temp)).to.have.length(1)
  })

  it('waits for a key that another instance holds, and gives others their turn', async () => {
    const locks = KeyLocks.open(join(harness.root, '.mandate'))
    let release: () => void = () => undefined
    const held = locks.hold(
      at,
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    const writing = put(harness.driver, at, 'late')
    const elsewhere = put(harness.driver, parseKey('1Instances/b'), 'not held up')
    await elsewhere
    expect(await harness.driver.stat(at)).to.equal(null)
    release()
    await held
    await writing
    expect((await get(harness.driver, at)).text).to.equal('late')
    locks.close()
  })

  it('gives up as busy when a key is not free in time', async () => {
    const locks = KeyLocks.open(join(harness.root, '.mandate'))
    let release: () => void = () => undefined
    const held = locks.hold(
      at,
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    const impatient = await diskDriver({ root: harness.root, lockWaitMs: 100 })
    await Promise.all([
      failure(put(impatient, at, 'first'), 'busy'),
      failure(put(impatient, at, 'queued behind it'), 'busy'),
    ])
    await impatient.close()
    release()
    await held
    locks.close()
    expect(await harness.leftovers()).to.deep.equal([])
    await put(harness.driver, at, 'free again')
  })

  it('readers find the entry of the very file that they have open, however fast it is overwritten', async () => {
    const options = { root: harness.root, attributes: false, durability: 'none' } as const
    const writers = await Promise.all([diskDriver(options), diskDriver(options)])
    let over = false
    await put(harness.driver, at, '0', { contentType: 'content/0' })
    const reading = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!over) {
          // One size for many versions: the time of change alone cannot tell them apart.
          const { info, text } = await get(harness.driver, at)
          expect(info.contentType).to.equal(`content/${text}`)
        }
      }),
    )
    try {
      await Promise.all(
        writers.map(async (writer, i) => {
          for (let n = 0; n < 100; n++) {
            const name = `${i}${String(n).padStart(3, '0')}`
            await put(writer, at, name, { contentType: `content/${name}` })
          }
        }),
      )
    } finally {
      over = true
      await reading
      await Promise.all(writers.map((writer) => writer.close()))
    }
  })

  it('says what is wrong with a folder that it cannot use', async () => {
    const file = join(harness.root, 'file')
    await writeFile(file, '')
    await failure(diskDriver({ root: file }), 'invalid_key')
    await failure(diskDriver({ root: join(file, 'below') }), 'invalid_key')
    await failure(diskDriver({ root: '/proc/nowhere' }), 'unavailable')
  })

  it('a root that vanishes is unavailable, and is not made anew', async () => {
    const root = await mkdtemp(join(tmpdir(), 'mandate-vanishing-'))
    const driver = await diskDriver({ root })
    await rm(root, { recursive: true })
    await failure(driver.check(), 'unavailable')
    await failure(put(driver, at, 'x'), 'unavailable')
    expect(await driver.stat(at)).to.equal(null)
    await driver.close()
    expect(await realpath(root).catch(() => 'gone')).to.equal('gone')
  })

  it('takes a folder anew that others have removed, or have put another in the place of', async () => {
    const other = await harness.second()
    const key = parseKey('1Folders/in/turns')
    for (let round = 0; round < 20; round++) {
      const [writer, remover] = round % 2 === 0 ? [harness.driver, other] : [other, harness.driver]
      await put(writer, key, `${round}`)
      expect((await get(remover, key)).text).to.equal(`${round}`)
      await remover.delete(key)
    }
    await put(other, key, 'before')
    await rename(join(harness.root, '1Folders'), join(harness.root, '1Former'))
    await put(other, key, 'after')
    expect((await get(other, key)).text).to.equal('after')
    expect((await get(other, parseKey('1Former/in/turns'))).text).to.equal('before')
    await other.close()
  })

  if (process.platform === 'linux') {
    it('holds a bounded number of folders open, and none when it is closed', async () => {
      const driver = await harness.second()
      const count = () => openBelow(harness.root).filter((path) => path.includes('1Many')).length
      for (let i = 0; i < 200; i++) await put(driver, parseKey(`1Many/${i}/file`), 'x')
      expect(count()).to.be.within(1, 128)
      await driver.close()
      expect(count()).to.equal(0)
    })
  }

  it('works on a folder that is reached through a link', async () => {
    const { symlink } = await import('node:fs/promises')
    const alias = `${harness.root}-alias`
    await symlink(harness.root, alias)
    const driver = await diskDriver({ root: alias })
    await put(driver, at, 'x')
    expect((await get(harness.driver, at)).text).to.equal('x')
    await driver.close()
    await rm(alias)
  })
})

describe('runs that are shared', () => {
  it('who asks during a run shares the next one with all who ask meanwhile', async () => {
    let begun = 0
    const runs = new SharedRuns(async () => {
      begun++
      await sleep(5)
      return begun
    })
    const first = runs.ask('a')
    const others = [runs.ask('a'), runs.ask('a'), runs.ask('a')]
    const elsewhere = runs.ask('b')
    expect(await first).to.be.at.least(1)
    await elsewhere
    expect(new Set(await Promise.all(others)).size).to.equal(1)
    expect(begun).to.equal(3)
    await runs.ask('a')
    expect(begun).to.equal(4)
  })

  it('a run that fails does not stop the next', async () => {
    let fails = true
    const runs = new SharedRuns(async () => {
      await sleep(1)
      if (!fails) return 'well'
      fails = false
      throw new Error('once')
    })
    const first = runs.ask('a').catch((error: Error) => error.message)
    const second = runs.ask('a')
    expect([await first, await second]).to.deep.equal(['once', 'well'])
  })
})

/** What this process has open below a folder. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      // The descriptor that the listing itself was read by is gone.
      return []
    }
  })
}
