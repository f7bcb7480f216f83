import { readFileSync } from 'node:fs'
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { failure, get, put } from '../../drivers/conformance/harness.ts'
import { diskDriver } from '../../drivers/disk/index.ts'
import type { Key } from '../../drivers/key.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { type DiskHarness, diskHarness } from './disk-harness.ts'

const at = parseKey('1Layout/photos/cat.txt')
const etagOfGaia = 'd41d8cd98f00b204e9800998ecf8427e'

describe('disk driver: the folder that it shares with Gaia', () => {
  for (const attributes of [true, false]) {
    describe(attributes ? 'with extended attributes' : 'without', () => {
      let harness: DiskHarness
      beforeEach(async () => {
        harness = await diskHarness({ attributes })
      })
      afterEach(() => harness.close())

      it('reads a file that Gaia wrote, with its type and its etag', async () => {
        await writeAsGaia(harness.root, at, 'meow', { 'content-type': 'text/cat', etag: etagOfGaia })
        const { info, text } = await get(harness.driver, at)
        expect(text).to.equal('meow')
        expect(info).to.include({ contentType: 'text/cat', etag: etagOfGaia, size: 4 })
        expect(info.lastModifiedMs).to.equal(Math.floor((await stat(dataPath(harness.root, at))).mtimeMs))
        expect(await harness.driver.stat(at)).to.deep.equal(info)
        const page = await harness.driver.list('1Layout/', { limit: 5, cursor: null, stat: true })
        expect(page.entries).to.deep.equal([{ key: at, info }])
      })

      it('updates by the etag that Gaia gave, and refuses another', async () => {
        await writeAsGaia(harness.root, at, 'meow', { 'content-type': 'text/cat', etag: etagOfGaia })
        const stale = put(harness.driver, at, 'purr', { condition: { ifMatch: 'stale' } })
        expect((await failure(stale, 'precondition_failed')).etag).to.equal(etagOfGaia)
        const written = await put(harness.driver, at, 'purr', { condition: { ifMatch: etagOfGaia } })
        expect((await get(harness.driver, at)).info).to.deep.equal(written)
      })

      it('writes what Gaia reads: the data under its name, the type and etag beside it', async () => {
        for (const contentType of [
          'text/plain; charset=x',
          'a/b',
          `long/${'y'.repeat(1000)}`,
          'text/short',
        ]) {
          const written = await put(harness.driver, at, 'x', { contentType })
          expect(await readFile(dataPath(harness.root, at), 'utf8')).to.equal('x')
          expect(sidecarOf(harness.root, at)).to.include({ 'content-type': contentType, etag: written.etag })
        }
      })

      it('takes a version that Gaia writes over ours as another one', async () => {
        const ours = await put(harness.driver, at, 'ours', { contentType: 'text/ours' })
        await writeFile(dataPath(harness.root, at), 'a version of Gaia')
        // Gaia writes its sidecar last: until then the type is the former one, and the etag is not.
        const between = (await get(harness.driver, at)).info
        expect(between).to.include({ contentType: 'text/ours', size: 17 })
        expect(between.etag).to.not.equal(ours.etag)
        await writeAsGaia(harness.root, at, 'a version of Gaia', {
          'content-type': 'text/gaia',
          etag: etagOfGaia,
        })
        expect((await get(harness.driver, at)).info).to.include({
          contentType: 'text/gaia',
          etag: etagOfGaia,
        })
        await put(harness.driver, at, 'ours again', { contentType: 'text/ours' })
        expect((await get(harness.driver, at)).info.contentType).to.equal('text/ours')
      })

      it('notices a version that Gaia writes over ours, though it is as long', async () => {
        const ours = await put(harness.driver, at, 'ours', { contentType: 'text/ours' })
        await writeAsGaia(harness.root, at, 'gaia', { 'content-type': 'text/gaia', etag: etagOfGaia })
        expect((await get(harness.driver, at)).info).to.include({
          contentType: 'text/gaia',
          etag: etagOfGaia,
        })
        const stale = put(harness.driver, at, 'x', { condition: { ifMatch: ours.etag } })
        await failure(stale, 'precondition_failed')
      })

      for (const [title, sidecar] of [
        ['no sidecar', null],
        ['an empty sidecar', ''],
        ['a sidecar cut short', '{"content-type": "text/'],
        ['a sidecar that is no object', '["text/plain"]'],
        [
          'a sidecar with members of wrong types',
          '{"content-type": 5, "etag": {}, "mandate": [1, {}, null]}',
        ],
        ['a sidecar that is too large', `{"content-type": "text/x"${' '.repeat(100_000)}}`],
      ] as const) {
        it(`serves a file with ${title} as bytes, with an etag that changes with the file`, async () => {
          await writeAsGaia(harness.root, at, 'one', null)
          if (sidecar !== null) await writeText(sidecarPath(harness.root, at), sidecar)
          const first = (await get(harness.driver, at)).info
          expect(first.contentType).to.equal('application/octet-stream')
          expect(first.etag).to.match(/^[0-9a-f]{32}$/)
          expect((await harness.driver.stat(at))?.etag).to.equal(first.etag)
          await utimes(dataPath(harness.root, at), 1, 1)
          expect((await harness.driver.stat(at))?.etag).to.not.equal(first.etag)
        })
      }

      it('an etag of Gaia that could not be sent as a header is replaced, its type kept', async () => {
        await writeAsGaia(harness.root, at, 'x', { 'content-type': 'text/x', etag: '"quoted"' })
        const { info } = await get(harness.driver, at)
        expect(info.contentType).to.equal('text/x')
        expect(info.etag).to.match(/^[0-9a-f]{32}$/)
      })

      it('knows a file again that was put back from a backup, where the inode is another one', async () => {
        const written = await put(harness.driver, at, 'kept', { contentType: 'text/kept' })
        const path = dataPath(harness.root, at)
        const { mtimeNs } = await stat(path, { bigint: true })
        await rename(path, `${path}.old`)
        await writeFile(path, 'kept')
        await rm(`${path}.old`)
        await utimes(path, Number(mtimeNs) / 1e9, Number(mtimeNs) / 1e9)
        const exact = (await stat(path, { bigint: true })).mtimeNs === mtimeNs
        // Node sets times as fractions of seconds; where that hits the very nanosecond the version is known.
        const found = (await get(harness.driver, at)).info
        expect(found.contentType).to.equal('text/kept')
        if (exact) expect(found.etag).to.equal(written.etag)
      })

      it('copies a file of Gaia byte by byte, since Gaia may still change it in place', async () => {
        await writeAsGaia(harness.root, at, 'first', { 'content-type': 'text/gaia', etag: etagOfGaia })
        const history = parseKey('1Layout/photos/.history.1.abcdefghij.cat.txt')
        const copied = await harness.driver.copy(at, history)
        await writeAsGaia(harness.root, at, 'second', { 'content-type': 'text/gaia', etag: 'second' })
        const { info, text } = await get(harness.driver, history)
        expect(text).to.equal('first')
        expect(info).to.deep.equal(copied)
        expect(info.contentType).to.equal('text/gaia')
      })

      it('a file that another program cuts short breaks off the reader, who would take a stump for the whole', async () => {
        await put(harness.driver, at, 'x'.repeat(1_000_000))
        const result = await harness.driver.read(at)
        await truncate(dataPath(harness.root, at), 1000)
        const error = await new Promise((resolve) => result?.body.on('error', resolve).resume())
        expect(error).to.include({ code: 'backend' })
      })
    })
  }

  it('what one instance seals, one without attributes reads, and the reverse', async () => {
    const harness = await diskHarness()
    const plain = await diskDriver({ root: harness.root, attributes: false })
    try {
      const sealed = await put(harness.driver, at, 'sealed', { contentType: 'a/sealed' })
      expect(await plain.stat(at)).to.deep.equal(sealed)
      const open = await put(plain, at, 'open', {
        contentType: 'a/open',
        condition: { ifMatch: sealed.etag },
      })
      expect(await harness.driver.stat(at)).to.deep.equal(open)
      await put(harness.driver, at, 'sealed', { condition: { ifMatch: open.etag } })
    } finally {
      await plain.close()
      await harness.close()
    }
  })
})

describe('disk driver: names on disk', () => {
  let harness: DiskHarness
  beforeEach(async () => {
    harness = await diskHarness()
  })
  afterEach(() => harness.close())

  it('cuts a segment that is too long for the file system into folders, at whole characters', async () => {
    const segment = `${'é'.repeat(300)}end`
    await put(harness.driver, parseKey(`1Layout/${segment}/x`), 'deep')
    const found: string[] = []
    for (let folder = join(harness.root, '1Layout'); ; ) {
      const [name] = await readdir(folder)
      if (name === undefined || name === 'x') break
      found.push(name)
      folder = join(folder, name)
    }
    expect(found.join('').replaceAll('\u0001', '')).to.equal(segment)
    expect(found.slice(0, -1).every((name) => name.endsWith('\u0001'))).to.equal(true)
    for (const name of found) expect(Buffer.byteLength(name)).to.be.at.most(255)
  })

  it('lists no name that could not be a key', async () => {
    await put(harness.driver, parseKey('1Layout/good'), 'x')
    const folder = join(harness.root, '1Layout')
    const bad = [
      Buffer.from('control\u0007'),
      Buffer.from('back\\slash'),
      Buffer.from([0x62, 0x61, 0x64, 0xff, 0xfe]),
      Buffer.from('short\u0001'),
      Buffer.from('.gaia-metadata'),
    ]
    for (const name of bad) await writeFile(Buffer.concat([Buffer.from(`${folder}/`), name]), 'x')
    // A folder of pieces whose name is short enough to need none.
    await mkdir(join(folder, 'piece\u0001'))
    await writeFile(join(folder, 'piece\u0001/rest'), 'x')
    for (const stat of [true, false]) {
      const page = await harness.driver.list('1Layout/', { limit: 10, cursor: null, stat })
      expect(page.entries.map(({ key }) => key)).to.deep.equal(['1Layout/good'])
    }
  })

  const obstacles: ReadonlyArray<readonly [there: string, wanted: string]> = [
    ['x', 'x/y'],
    ['x', 'x/y/z'],
    ['x/y', 'x'],
    ['x/y/z', 'x'],
    ['x/y/z', 'x/y'],
  ]
  for (const [there, wanted] of obstacles) {
    it(`${wanted} cannot be where ${there} is: invalid_key, and nothing changes`, async () => {
      await put(harness.driver, parseKey(`1Layout/${there}`), 'there')
      const error = await failure(put(harness.driver, parseKey(`1Layout/${wanted}`), 'new'), 'invalid_key')
      expect(error.message).to.match(/stands/)
      expect(error.message).to.not.include(harness.root)
      await failure(
        harness.driver.copy(parseKey(`1Layout/${there}`), parseKey(`1Layout/${wanted}`)),
        'invalid_key',
      )
      expect((await get(harness.driver, parseKey(`1Layout/${there}`))).text).to.equal('there')
      expect(await harness.leftovers()).to.deep.equal([])
      await harness.driver.delete(parseKey(`1Layout/${there}`))
      await put(harness.driver, parseKey(`1Layout/${wanted}`), 'now it can')
    })
  }

  it('empty folders and sidecars that a crash has left do not stand in the way', async () => {
    await mkdir(join(harness.root, '1Layout/a/b/c'), { recursive: true })
    await writeText(sidecarPath(harness.root, parseKey('1Layout/a/b/stale')), '{}')
    await put(harness.driver, parseKey('1Layout/a'), 'file')
    expect((await get(harness.driver, parseKey('1Layout/a'))).text).to.equal('file')
    await writeText(sidecarPath(harness.root, parseKey('1Layout/d')), '{}')
    await put(harness.driver, parseKey('1Layout/d/e'), 'file')
    expect((await get(harness.driver, parseKey('1Layout/d/e'))).text).to.equal('file')
    expect(await harness.leftovers()).to.deep.equal([])
  })

  it('a sidecar that a crash has left tells nothing about the file that comes later', async () => {
    const stale = { 'content-type': 'text/stale', etag: 'stale', mandate: [] }
    await writeText(sidecarPath(harness.root, at), JSON.stringify(stale))
    expect(await harness.driver.stat(at)).to.equal(null)
    const written = await put(harness.driver, at, 'x', { contentType: 'text/new' })
    expect(await harness.driver.stat(at)).to.deep.equal(written)
  })

  it('lists 20,000 files of one folder in pages without holding up anything else', async () => {
    const folder = join(harness.root, '1Many/f')
    await mkdir(folder, { recursive: true })
    for (let i = 0; i < 20_000; i++) await (await open(join(folder, `n${i}`), 'w')).close()
    const lags: number[] = []
    let last = performance.now()
    const timer = setInterval(() => {
      lags.push(performance.now() - last)
      last = performance.now()
    }, 5)
    const first = await harness.driver.list('1Many/f/', { limit: 100, cursor: null, stat: true })
    const second = await harness.driver.list('1Many/', { limit: 1000, cursor: first.cursor })
    clearInterval(timer)
    const names = [...first.entries, ...second.entries].map(({ key }) => key.slice('1Many/f/'.length))
    const wanted = Array.from({ length: 20_000 }, (_, i) => `n${i}`).sort()
    expect(names).to.deep.equal(wanted.slice(0, 1100))
    expect(Math.max(...lags)).to.be.below(250)
  })
})

describe('disk driver: links and other things that are no files of ours', () => {
  let harness: DiskHarness
  let outside: string
  beforeEach(async () => {
    harness = await diskHarness()
    outside = await mkdtemp(join(tmpdir(), 'mandate-outside-'))
    await writeFile(join(outside, 'secret'), 'secret')
    await mkdir(join(harness.root, '1Mallory'), { recursive: true })
  })
  afterEach(async () => {
    await harness.close()
    await rm(outside, { recursive: true })
  })

  async function expectAbsent(path: string): Promise<void> {
    const key = parseKey(`1Mallory/${path}`)
    expect(await harness.driver.stat(key)).to.equal(null)
    expect(await harness.driver.read(key)).to.equal(null)
    await failure(harness.driver.delete(key), 'not_found')
    await failure(harness.driver.copy(key, parseKey('1Mallory/copied')), 'not_found')
    for (const prefix of ['1Mallory/', `1Mallory/${path}`, `1Mallory/${dirname(path)}/`]) {
      const page = await harness.driver.list(prefix, { limit: 10, cursor: null, stat: true })
      expect(page.entries.filter((entry) => entry.key === key)).to.deep.equal([])
    }
  }

  async function expectRefused(path: string): Promise<void> {
    await failure(put(harness.driver, parseKey(`1Mallory/${path}`), 'by mallory'), 'invalid_key')
    expect(await readFile(join(outside, 'secret'), 'utf8')).to.equal('secret')
    expect(await readdir(outside)).to.deep.equal(['secret'])
  }

  const inBucket = (path: string): string => join(harness.root, '1Mallory', path)

  it('a link to a file outside is absent, and cannot be written', async () => {
    await symlink(join(outside, 'secret'), inBucket('link'))
    await expectAbsent('link')
    await expectRefused('link')
  })

  it('a link to nothing is absent, and cannot be written', async () => {
    await symlink(join(outside, 'nothing'), inBucket('link'))
    await expectAbsent('link')
    await expectRefused('link')
  })

  it('what lies behind a link to a folder outside is absent, and nothing can be written there', async () => {
    await symlink(outside, inBucket('folder'))
    await expectAbsent('folder/secret')
    await expectRefused('folder/secret')
    await expectRefused('folder/new')
    await expectRefused('folder/new/newer')
  })

  it('a link within the bucket is not followed either', async () => {
    await put(harness.driver, parseKey('1Mallory/real/file'), 'real')
    await symlink('real', inBucket('alias'))
    await symlink('real/file', inBucket('alias-file'))
    await expectAbsent('alias/file')
    await expectAbsent('alias-file')
    await expectRefused('alias/file')
    await expectRefused('alias-file')
    expect((await get(harness.driver, parseKey('1Mallory/real/file'))).text).to.equal('real')
  })

  it('a bucket that is a link is empty', async () => {
    await symlink(outside, join(harness.root, '1Linked'))
    expect(await harness.driver.read(parseKey('1Linked/secret'))).to.equal(null)
    const page = await harness.driver.list('1Linked/', { limit: 10, cursor: null })
    expect(page.entries).to.deep.equal([])
    await failure(put(harness.driver, parseKey('1Linked/new'), 'x'), 'invalid_key')
    expect(await readdir(outside)).to.deep.equal(['secret'])
  })

  it('a folder that is swapped for a link after it was used is not followed', async () => {
    const key = parseKey('1Mallory/swapped/secret')
    await put(harness.driver, key, 'mine')
    expect((await get(harness.driver, key)).text).to.equal('mine')
    await rename(inBucket('swapped'), inBucket('moved'))
    await symlink(outside, inBucket('swapped'))
    await expectAbsent('swapped/secret')
    await expectRefused('swapped/secret')
    await expectRefused('swapped/new')
  })

  it('a bucket that is swapped for a link to itself after it was used is not followed', async () => {
    const bucket = join(harness.root, '1Mallory')
    const moved = join(harness.root, '1Moved')
    await put(harness.driver, parseKey('1Mallory/deep/down/file'), 'mine')
    await rename(bucket, moved)
    await symlink(moved, bucket)
    await failure(put(harness.driver, parseKey('1Mallory/deep/down/new'), 'by mallory'), 'invalid_key')
    expect(await readdir(join(moved, 'deep/down'))).to.deep.equal(['file'])
  })

  it('a folder of metadata that is swapped for a link is not followed', async () => {
    const key = parseKey('1Mallory/meta/secret')
    await put(harness.driver, key, 'mine')
    const metadata = join(harness.root, '.gaia-metadata/1Mallory/meta')
    await rm(metadata, { recursive: true })
    await symlink(outside, metadata)
    await expectRefused('meta/secret')
    await expectRefused('meta/new')
    expect((await get(harness.driver, key)).text).to.equal('mine')
  })

  it('metadata that is a link to a file outside is not written through', async () => {
    const key = parseKey('1Mallory/linked')
    await put(harness.driver, key, 'mine')
    await rm(sidecarPath(harness.root, key))
    await symlink(join(outside, 'secret'), sidecarPath(harness.root, key))
    await put(harness.driver, key, 'again', { contentType: 'text/again' })
    expect(await readFile(join(outside, 'secret'), 'utf8')).to.equal('secret')
    expect(sidecarOf(harness.root, key)).to.include({ 'content-type': 'text/again' })
  })

  it('metadata that has a second name outside is not written through', async () => {
    const key = parseKey('1Mallory/linked')
    await put(harness.driver, key, 'mine')
    await rm(sidecarPath(harness.root, key))
    await link(join(outside, 'secret'), sidecarPath(harness.root, key))
    await put(harness.driver, key, 'again', { contentType: 'text/again' })
    expect(await readFile(join(outside, 'secret'), 'utf8')).to.equal('secret')
    expect(sidecarOf(harness.root, key)).to.include({ 'content-type': 'text/again' })
  })

  it('a fifo and a socket are absent and keep nobody waiting', async () => {
    const { execFileSync } = await import('node:child_process')
    execFileSync('mkfifo', [inBucket('fifo')])
    const { createServer } = await import('node:net')
    const server = createServer().listen(inBucket('socket'))
    try {
      for (const name of ['fifo', 'socket']) {
        await expectAbsent(name)
        await expectRefused(name)
      }
    } finally {
      server.close()
    }
  }).timeout(5000)
})

function dataPath(root: string, key: Key): string {
  return join(root, key)
}

function sidecarPath(root: string, key: Key): string {
  return join(root, '.gaia-metadata', key)
}

function sidecarOf(root: string, key: Key): unknown {
  return JSON.parse(readFileSync(sidecarPath(root, key), 'utf8'))
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** In place, data first: as Gaia does. */
async function writeAsGaia(root: string, key: Key, content: string, metadata: object | null): Promise<void> {
  await writeText(dataPath(root, key), content)
  if (metadata !== null) await writeText(sidecarPath(root, key), JSON.stringify(metadata))
}
