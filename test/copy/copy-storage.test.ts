import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { expect } from 'chai'
import { CopyGivenUp } from '../../deploy/process/copy/copy-storage.ts'
import { LedgerError, openLedger } from '../../deploy/process/copy/ledger.ts'
import { failure, rejection } from '../../drivers/conformance/harness.ts'
import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import type { Key } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { readOnly } from '../../drivers/read-only.ts'
import { newFolder, removeFolders, runCopying } from './copying.ts'
import { alice, altered, bob, contentOf, fill, put, textAt, twoOwners } from './stores.ts'

describe('copying between storages', () => {
  let source: Driver
  let target: Driver
  let ledger: string

  beforeEach(async () => {
    source = memoryDriver()
    target = memoryDriver()
    ledger = join(await newFolder(), 'record')
  })
  afterEach(removeFolders)

  const note = `${alice}/notes/a.txt`

  it('brings files, types, history and records over, of every address', async () => {
    await fill(source, twoOwners)
    const { report } = await runCopying(source, target, ledger)
    expect(await contentOf(target)).to.deep.equal(twoOwners)
    expect(report).to.deep.include({ addresses: 2, failedAddresses: 0 })
    expect([report.files.copied, report.records.copied]).to.deep.equal([5, 3])
  })

  it('brings over one address where it is told to', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger, { addresses: [bob] })
    expect(Object.keys(await contentOf(target))).to.deep.equal([`${bob}/photo`])
  })

  it('does not take an address of which there is nothing for done', async () => {
    await fill(source, twoOwners)
    const { report, of } = await runCopying(source, target, ledger, { addresses: ['1Nobody' as typeof bob] })
    expect(of('1Nobody')).to.equal('failed: the source holds nothing of this address')
    expect(report.addresses).to.equal(0)
  })

  it('reads no file again that an earlier run has copied', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    const read: Key[] = []
    const watched = (driver: Driver) =>
      altered(driver, {
        read(key, options) {
          read.push(key)
          return driver.read(key, options)
        },
      })
    const { report } = await runCopying(watched(source), watched(target), ledger)
    expect(report.files.there).to.equal(5)
    expect(read.filter((key) => !key.endsWith('authTimestamp'))).to.deep.equal([])
  })

  it('brings over what has changed at the source since, and nothing else', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    await put(source, note, 'new', 'text/plain; charset=utf-8')
    await put(source, `${alice}/another`, 'more')
    const { report, of } = await runCopying(source, target, ledger)
    expect([of(note), of(`${alice}/another`), report.files.there]).to.deep.equal(['updated', 'copied', 4])
    expect(await contentOf(target)).to.deep.equal(await contentOf(source))
  })

  it('follows a change of the type alone', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    await put(source, note, 'now', 'text/html')
    await runCopying(source, target, ledger)
    expect((await target.stat(parseKey(note)))?.contentType).to.equal('text/html')
  })

  it('leaves what the destination has changed, and says so, until it is told to overwrite', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    await put(target, note, 'theirs')
    for (const text of ['now', 'ours']) {
      await put(source, note, text, 'text/plain; charset=utf-8')
      const { of, report } = await runCopying(source, target, ledger)
      expect(of(note)).to.match(/^conflict: it was changed at the destination since it was copied; it stays$/)
      expect(report.files.conflict).to.equal(1)
      expect(await textAt(target, note)).to.equal('theirs')
    }
    await runCopying(source, target, ledger, { overwrite: true })
    expect(await textAt(target, note)).to.equal('ours')
  })

  it('leaves deleted what the destination has deleted', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    await target.delete(parseKey(note))
    const { of } = await runCopying(source, target, ledger)
    expect(of(note)).to.match(/^conflict: it was deleted at the destination/)
    expect(await target.stat(parseKey(note))).to.equal(null)
  })

  it('keeps what is gone at the source, and deletes it where it is told to', async () => {
    await fill(source, twoOwners)
    await put(target, `${bob}/own`, 'never copied')
    await runCopying(source, target, ledger)
    await source.delete(parseKey(note))
    expect((await runCopying(source, target, ledger)).of(note)).to.equal('gone')
    expect(await textAt(target, note)).to.equal('now')
    const { of } = await runCopying(source, target, ledger, { deleteGone: true })
    expect(of(note)).to.equal('deleted')
    expect(await target.stat(parseKey(note))).to.equal(null)
    expect(await textAt(target, `${bob}/own`)).to.equal('never copied')
  })

  it('deletes nothing that the destination has changed since', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    await source.delete(parseKey(note))
    await put(target, note, 'theirs')
    await runCopying(source, target, ledger, { deleteGone: true, overwrite: true })
    expect(await textAt(target, note)).to.equal('theirs')
  })

  it('finds out without its record what is the same, and what is not', async () => {
    await fill(source, twoOwners)
    await fill(target, { ...twoOwners, [note]: ['text/plain; charset=utf-8', 'own'] })
    const { report, of } = await runCopying(source, target, ledger)
    expect([report.files.compared, report.files.conflict]).to.deep.equal([4, 1])
    expect(of(note)).to.equal('conflict: something else is at the destination; it stays')
    expect(await textAt(target, note)).to.equal('own')
  })

  it('goes on by a record whose last line was never finished', async () => {
    await fill(source, twoOwners)
    await runCopying(source, target, ledger)
    const path = join(ledger, `${alice}.jsonl`)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    await writeFile(path, `${lines.slice(0, -1).join('\n')}\n${lines.at(-1)?.slice(0, 30)}`)
    const { report } = await runCopying(source, target, ledger)
    expect([report.files.compared, report.files.there]).to.deep.equal([1, 4])
    await appendFile(path, '\n')
    expect((await runCopying(source, target, ledger)).report.files.copied).to.equal(0)
  })

  it('refuses the record of other storages, and a folder that is none', async () => {
    await openLedger(ledger, 'a → b', false)
    expect(await rejection(openLedger(ledger, 'a → c', false))).to.be.instanceOf(LedgerError)
    await writeFile(join(ledger, 'copy.json'), '{"version":9}')
    expect(await rejection(openLedger(ledger, 'a → b', false))).to.be.instanceOf(LedgerError)
  })

  it('changes nothing in a dry run, and tells of everything that it would do', async () => {
    await fill(source, twoOwners)
    await put(target, `${alice}/empty`, 'not empty')
    await put(target, note, 'now', 'text/plain; charset=utf-8')
    const before = await contentOf(target)
    const { report, of } = await runCopying(source, readOnly(target), ledger, {
      dryRun: true,
      settleMs: 60_000,
    })
    expect(await contentOf(target)).to.deep.equal(before)
    expect(await rejection(readdir(ledger))).to.include({ code: 'ENOENT' })
    expect([report.files.copied, report.records.copied]).to.deep.equal([3, 3])
    expect([of(note), of(`${alice}/empty`)?.slice(0, 8)]).to.deep.equal(['compared', 'conflict'])
  })

  it('never brings a file over in a mixture, however often the source is overwritten meanwhile', async () => {
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(300_000))
    const disk = await diskDriver({ root: await newFolder(), durability: 'none' })
    await put(disk, note, texts[0] ?? '')
    let round = 0
    const restless = altered(disk, {
      async read(key, options) {
        const found = await disk.read(key, options)
        if (key !== note) return found
        // The version is chosen; now it is replaced under the reader.
        await put(disk, key, texts[++round % 3] ?? '')
        return found
      },
    })
    const { report } = await runCopying(restless, target, ledger)
    expect(report.files.copied).to.equal(1)
    expect(texts).to.include(await textAt(target, note))
    expect((await runCopying(disk, target, ledger)).of(note)).to.equal('updated')
    expect(await textAt(target, note)).to.equal(await textAt(disk, note))
    await disk.close()
  })

  it('takes the newer version where the source changed between the list and the read', async () => {
    await put(source, note, 'listed')
    let isChanged = false
    const changing = altered(source, {
      async read(key, options) {
        if (!isChanged && key === note) {
          isChanged = true
          await put(source, key, 'newer')
        }
        return await source.read(key, options)
      },
    })
    await runCopying(changing, target, ledger)
    expect(await textAt(target, note)).to.equal('newer')
  })

  it('leaves a file that never stands still for another run', async () => {
    await put(source, note, 'a')
    const restless = altered(source, {
      async read(key, options) {
        if (key === note) await put(source, key, 'b')
        return await source.read(key, options)
      },
    })
    const { of } = await runCopying(restless, target, ledger)
    expect(of(note)).to.match(/^conflict: it is being changed/)
    expect(await target.stat(parseKey(note))).to.equal(null)
  })

  it('does not overwrite what a hub at the destination stores at the same instant', async () => {
    await put(source, note, 'copied')
    const busy = altered(target, {
      async write(key, body, options) {
        await put(target, note, 'theirs')
        return await target.write(key, body, options)
      },
    })
    const { of } = await runCopying(source, busy, ledger)
    expect(of(note)).to.match(/^conflict: something else is at the destination/)
    expect(await textAt(target, note)).to.equal('theirs')
  })

  for (const [what, spoil] of [
    ['other bytes', (info: object) => info],
    ['another content type', (info: object) => ({ ...info, contentType: 'a/b' })],
  ] as const) {
    it(`finds out that the destination gives back ${what}, and leaves none of it there`, async () => {
      await fill(source, twoOwners)
      const spoiling = altered(target, {
        async read(key, options) {
          const found = await target.read(key, options)
          if (found === null || key !== note) return found
          if (what === 'another content type')
            return { ...found, info: spoil(found.info) as typeof found.info }
          found.body.destroy()
          return { ...found, body: Readable.from([Buffer.from('noh')]) }
        },
      })
      const { of, report } = await runCopying(source, spoiling, ledger)
      expect(of(note)).to.match(new RegExp(`^failed: the destination gave back ${what} than were written`))
      expect(await target.stat(parseKey(note))).to.equal(null)
      expect([report.files.failed, report.files.copied]).to.deep.equal([1, 4])
      expect((await runCopying(source, target, ledger)).of(note)).to.equal('copied')
    })
  }

  it('finds out that a file was damaged at the destination since it was copied', async () => {
    await fill(source, twoOwners)
    const root = await newFolder()
    const disk = await diskDriver({ root, durability: 'none' })
    await runCopying(source, disk, ledger)
    await writeFile(join(root, note), 'nox')
    const { of } = await runCopying(source, disk, ledger)
    expect(of(note)).to.match(/^conflict: /)
    await disk.close()
  })

  it('goes on where one file fails, and tells of it', async () => {
    await fill(source, twoOwners)
    const failing = altered(target, {
      async write(key, body, options) {
        if (key !== note) return await target.write(key, body, options)
        body.destroy()
        throw new DriverError('invalid_key', 'no room for that name')
      },
    })
    const { of, report } = await runCopying(source, failing, ledger)
    expect(of(note)).to.equal('failed: no room for that name')
    expect([report.files.copied, report.addresses]).to.deep.equal([4, 2])
  })

  it('leaves nothing of a file whose source breaks off', async () => {
    await put(source, note, 'whole')
    const breaking = altered(source, {
      async read(key, options) {
        const found = await source.read(key, options)
        if (found === null) return null
        const body = new PassThrough()
        body.write('wh')
        setImmediate(() => body.destroy(new DriverError('unavailable', 'broke off')))
        return { ...found, body }
      },
    })
    const { of } = await runCopying(breaking, target, ledger)
    expect(of(note)).to.equal('failed: broke off')
    expect(await target.stat(parseKey(note))).to.equal(null)
  })

  it('gives up where nothing works any more', async () => {
    for (let i = 0; i < 60; i++) await put(source, `${alice}/${i}`, 'x')
    let tried = 0
    const down = altered(target, {
      async write(_key, body) {
        tried++
        body.destroy()
        throw new DriverError('unavailable', 'the storage cannot be reached')
      },
    })
    const error = await rejection(runCopying(source, down, ledger))
    expect(error).to.be.instanceOf(CopyGivenUp)
    expect(tried).to.be.below(60)
  })

  it('stops when it is told to, and goes on in the next run', async () => {
    for (let i = 0; i < 20; i++) await put(source, `${alice}/${i}`, 'x')
    const controller = new AbortController()
    const signal = controller.signal
    const error = await rejection(
      runCopying(source, target, ledger, { signal, concurrency: 1, onEvent: () => controller.abort() }),
    )
    expect(error).to.include({ name: 'AbortError' })
    expect(Object.keys(await contentOf(target))).to.have.length.within(1, 2)
    const { report } = await runCopying(source, target, ledger)
    expect([report.files.copied + report.files.there, report.files.compared]).to.deep.equal([20, 0])
  })

  it('spares the reading back where an etag is the MD5 of the bytes, and only where that was chosen', async () => {
    await put(source, note, 'now')
    const md5 = '8b1a9953c4611296a827abf8c47804d7' // of "Hello"
    for (const [verify, text, reads] of [
      ['etag', 'Hello', 0],
      ['etag', 'other', 1],
      ['read', 'Hello', 1],
    ] as const) {
      const s3Like = memoryDriver({ makeEtag: () => md5 })
      await put(source, note, text)
      let readBack = 0
      const watched = altered(s3Like, {
        read(key, options) {
          if (key === note) readBack++
          return s3Like.read(key, options)
        },
      })
      const folder = join(await newFolder(), 'record')
      expect((await runCopying(source, watched, folder, { verify })).of(note)).to.equal('copied')
      expect(readBack, `${verify} ${text}`).to.equal(reads)
    }
  })

  it('tells how many files there are before it begins, and how far it is', async () => {
    await fill(source, twoOwners)
    const told: string[] = []
    const progress = {
      isShown: true,
      found: (files: number) => void told.push(`found ${files}`),
      moved: (key: string, bytes: number) => void told.push(`moved ${key} ${bytes}`),
      done: (key: string) => void told.push(`done ${key}`),
    }
    await runCopying(source, target, ledger, { progress, concurrency: 1 })
    expect(told.slice(0, 2)).to.have.members(['found 4', 'found 1'])
    expect(told.filter((line) => line.startsWith('done'))).to.have.length(5)
    expect(told.slice(-2)).to.deep.equal([`moved ${bob}/photo 70000`, `done ${bob}/photo`])
  })

  it('copies as many files at once as it may, and no more', async () => {
    for (let i = 0; i < 12; i++) await put(source, `${i % 2 === 0 ? alice : bob}/${i}`, 'x')
    let [now, most] = [0, 0]
    const counting = altered(target, {
      async write(key, body, options) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setTimeout(resolve, 5))
        const info = await target.write(key, body, options)
        now--
        return info
      },
    })
    await runCopying(source, counting, ledger, { concurrency: 3 })
    expect(most).to.equal(3)
  })

  it('keeps the Cache-Control of the hub over the destination with files, and none with records', async () => {
    await fill(source, twoOwners)
    const told = new Map<string, string | undefined>()
    const watched = altered(target, {
      write(key, body, options) {
        told.set(key, options.cacheControl)
        return target.write(key, body, options)
      },
    })
    await runCopying(source, watched, ledger, { cacheControl: 'max-age=60' })
    expect(told.get(note)).to.equal('max-age=60')
    expect(told.get(`${alice}-auth/grants/bafkreigrant.json`)).to.equal(undefined)
  })

  it('refuses a list that cannot be had, whole', async () => {
    const broken = altered(source, {
      listBuckets: () => Promise.reject(new DriverError('backend', 'no list')),
    })
    await failure(runCopying(broken, target, ledger), 'backend')
  })
})
