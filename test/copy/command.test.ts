import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { cephServer, installMs } from '../servers/ceph.ts'
import { startGcsServer } from '../servers/gcs.ts'
import { makeBucket } from '../servers/s3-bucket.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { configFile, mandateCopy, within } from './command-line.ts'
import { newFolder, removeFolders } from './copying.ts'
import { alice, bob, type Content, contentOf, fill, put, textAt, twoOwners } from './stores.ts'

const disk = (root: string) => ({
  driver: 'disk',
  diskSettings: { storageRootDirectory: root, durability: 'none' },
  revocationMaxAge: 0,
})

const examplePlugin = fileURLToPath(new URL('../../drivers/example-plugin/index.js', import.meta.url))

describe('mandate copy', () => {
  let folder: string
  const ends: Array<() => Promise<unknown>> = []

  beforeEach(async () => {
    folder = await newFolder()
  })
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
    await removeFolders()
  })

  /** A disk storage with something in it, and its configuration file. */
  async function filledDisk(content: Content = twoOwners): Promise<{ config: object; from: string }> {
    const config = disk(join(folder, 'source'))
    await within(config, folder, (driver) => fill(driver, content))
    return { config, from: await configFile(folder, 'from', config) }
  }

  async function stores(): Promise<Record<string, object>> {
    const server = await cephServer()
    const bucket = await makeBucket(server)
    const google = await startGcsServer()
    const azurite = await sharedAzurite()
    const container = azurite.newContainer()
    ends.push(
      () => bucket.remove(),
      () => google.stop(),
      () => container.delete(),
    )
    return {
      s3: { driver: 's3', bucket: bucket.name, awsCredentials: server },
      plugin: {
        driver: `./${relative(folder, examplePlugin)}`,
        driverSettings: { location: join(folder, 'level') },
      },
      gcs: {
        driver: 'gcs',
        bucket: 'files',
        createBucket: true,
        gcCredentials: { apiEndpoint: google.url, projectId: 'p' },
      },
      azure: {
        driver: 'azure',
        bucket: container.containerName,
        createBucket: true,
        azCredentials: { connectionString: azurite.connectionString },
      },
      disk: disk(join(folder, 'last')),
    }
  }

  it('moves everything from disk through S3, a plugin, Google and Azure to disk again', async function () {
    this.timeout(installMs)
    const large: Content = { [`${bob}/large`]: ['application/x-large', 'long'.repeat(2_200_000)] }
    const content = { ...twoOwners, ...large }
    await filledDisk(content)
    let from = join(folder, 'from.json')
    for (const [name, config] of Object.entries(await stores())) {
      const to = await configFile(folder, name, { ...config, revocationMaxAge: 0 })
      const first = await mandateCopy(folder, ['--from', from, '--to', to, '--json'])
      expect(first.status, first.stderr).to.equal(0)
      expect(first.lines.at(-1), name).to.deep.include({ event: 'end', addresses: 2, failedAddresses: 0 })
      expect(first.lines.at(-1)?.files).to.include({ copied: 6 })
      expect(await within(config, folder, (driver) => contentOf(driver)), name).to.deep.equal(content)
      const again = await mandateCopy(folder, ['--from', from, '--to', to, '--json'])
      expect(again.lines.at(-1)?.files, `${name}: ${again.stderr}`).to.include({
        there: 6,
        copied: 0,
        compared: 0,
      })
      if (name === 's3') await expectCompared(from, to)
      from = to
    }
  })

  /** Without the record of what was copied, and where etags are made of the bytes. */
  async function expectCompared(from: string, to: string): Promise<void> {
    const afresh = ['--verify', 'etag', '--record', join(folder, 'afresh')]
    const { lines, stderr } = await mandateCopy(folder, ['--from', from, '--to', to, '--json', ...afresh])
    expect(lines.at(-1)?.files, stderr).to.include({ compared: 6, copied: 0 })
  }

  it('moves the folder of a Gaia hub with its types, and leaves nothing in it', async () => {
    const root = join(folder, 'gaia')
    const files: Array<readonly [path: string, text: string, type: string]> = [
      [`${alice}/index.html`, '<p>', 'text/html; charset=utf-8'],
      [`${alice}/a/photo.png`, 'png', 'image/png'],
      [`${alice}-auth/authTimestamp`, '1600000000', 'text/plain; charset=UTF-8'],
    ]
    for (const [path, text, type] of files) {
      for (const [at, content] of [
        [join(root, path), text],
        [join(root, '.gaia-metadata', path), JSON.stringify({ 'content-type': type, etag: 'abc' })],
      ] as const) {
        await mkdir(dirname(at), { recursive: true })
        await writeFile(at, content)
      }
    }
    const gaias = {
      servername: 'h.test',
      port: 4000,
      driver: 'disk',
      diskSettings: { storageRootDirectory: root },
    }
    const from = await configFile(folder, 'gaia', {
      ...gaias,
      argsTransport: { level: 'warn', colorize: true },
    })
    const target = disk(join(folder, 'new'))
    const to = await configFile(folder, 'new', target)
    const before = (await readdir(root, { recursive: true })).sort()
    const { status, stderr } = await mandateCopy(folder, ['--from', from, '--to', to])
    expect(status, stderr).to.equal(0)
    expect((await readdir(root, { recursive: true })).sort()).to.deep.equal(before)
    const expected = Object.fromEntries(files.map(([path, text, type]) => [path, [type, text]]))
    expect(await within(target, folder, (driver) => contentOf(driver))).to.deep.equal(expected)
  })

  it('goes on after it was killed, and copies nothing twice but what was under way', async function () {
    this.timeout(60_000)
    const names = Array.from({ length: 150 }, (_, i) => `${i % 3 === 0 ? alice : bob}/file ${i}`)
    const content = Object.fromEntries(names.map((name) => [name, ['a/b', name.repeat(2000)] as const]))
    const { from } = await filledDisk({ ...content, [`${alice}-auth/authTimestamp`]: ['text/plain', '7'] })
    const target = {
      ...disk(join(folder, 'target')),
      diskSettings: { storageRootDirectory: join(folder, 'target') },
    }
    const to = await configFile(folder, 'to', target)
    for (const lines of [5, 40]) await killAfter(lines, ['--from', from, '--to', to, '--json'])
    const { status, lines, stderr } = await mandateCopy(folder, ['--from', from, '--to', to, '--json'])
    expect(status, stderr).to.equal(0)
    const { copied = 0, there = 0, compared = 0 } = (lines.at(-1)?.files ?? {}) as Record<string, number>
    expect(copied + there + compared).to.equal(150)
    expect(there).to.be.at.least(30)
    expect(compared).to.be.at.most(16)
    expect(await within(target, folder, (driver) => contentOf(driver))).to.deep.equal({
      ...content,
      [`${alice}-auth/authTimestamp`]: ['text/plain; charset=UTF-8', '7'],
    })
    expect(await readdir(join(folder, 'target/.mandate/tmp'))).to.have.length.at.most(1)
  })

  /** Runs the program, and kills it once it has printed so many lines. */
  async function killAfter(lines: number, args: readonly string[]): Promise<void> {
    const program = fileURLToPath(new URL('../../deploy/cli/bin/mandate.js', import.meta.url))
    const child: ChildProcess = spawn(process.execPath, [program, 'copy', ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = once(child, 'exit')
    let seen = 0
    if (child.stdout === null) throw new Error('no output')
    for await (const _ of createInterface(child.stdout)) if (++seen === lines) child.kill('SIGKILL')
    const [status, signal] = await ended
    expect([status, signal, seen >= lines]).to.deep.equal([null, 'SIGKILL', true])
  }

  it('makes nothing in a dry run, not even the folder, and says what it would do', async () => {
    const { from } = await filledDisk()
    const to = await configFile(folder, 'to', disk(join(folder, 'nowhere')))
    const { status, stdout } = await mandateCopy(folder, ['--from', from, '--to', to, '--dry-run'])
    expect(status).to.equal(0)
    expect(stdout).to.include(`would copy ${alice}/notes/a.txt\n`).and.include('files: 5 copied')
    expect((await readdir(folder)).sort()).to.deep.equal(['from.json', 'source', 'to.json'])
  })

  it('ends with 4 where something at the destination differs, and names it', async () => {
    const { from } = await filledDisk()
    const target = disk(join(folder, 'target'))
    await within(target, folder, (driver) => put(driver, `${alice}/notes/a.txt`, 'own'))
    const to = await configFile(folder, 'to', target)
    const told = await mandateCopy(folder, ['--from', from, '--to', to])
    expect(told.status).to.equal(4)
    expect(told.stdout).to.include(`conflict ${alice}/notes/a.txt: something else`)
    expect(told.stderr).to.include('--overwrite')
    const json = await mandateCopy(folder, ['--from', from, '--to', to, '--json'])
    expect(json.status).to.equal(4)
    expect(JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '').error).to.include({
      code: 'conflict',
      status: 4,
    })
    const forced = await mandateCopy(folder, ['--from', from, '--to', to, '--overwrite'])
    expect(forced.status, forced.stderr).to.equal(0)
    expect(await within(target, folder, (driver) => textAt(driver, `${alice}/notes/a.txt`))).to.equal('now')
  })

  it('ends with 1 where something cannot be copied, and goes on with the rest', async () => {
    const { from } = await filledDisk()
    const target = disk(join(folder, 'target'))
    // A folder stands where a file should be.
    await within(target, folder, (driver) => put(driver, `${alice}/empty/x`, 'x'))
    const to = await configFile(folder, 'to', target)
    const { status, stdout } = await mandateCopy(folder, ['--from', from, '--to', to])
    expect(status).to.equal(1)
    expect(stdout).to.include(`failed ${alice}/empty: `).and.include('4 copied, 1 failed')
  })

  it('follows a source that goes on, and deletes what is gone there where it is told to', async () => {
    const { config, from } = await filledDisk()
    const target = disk(join(folder, 'target'))
    const to = await configFile(folder, 'to', target)
    await mandateCopy(folder, ['--from', from, '--to', to])
    await within(config, folder, async (driver) => {
      await put(driver, `${alice}/empty`, 'filled')
      const { entries } = await driver.list(`${bob}/`, { limit: 10, cursor: null })
      for (const { key } of entries) await driver.delete(key)
    })
    const { status, stdout } = await mandateCopy(folder, ['--from', from, '--to', to, '--delete'])
    expect([status, stdout]).to.deep.equal([
      0,
      'addresses: 1; 6 B written\nfiles: 1 updated, 3 there already\nrecords: 3 there already\n',
    ])
    expect(await within(target, folder, (driver) => textAt(driver, `${bob}/photo`))).to.equal(
      'x'.repeat(70_000),
    )
  })

  it('takes variables of one side only by their prefix', async () => {
    const { from } = await filledDisk()
    const to = await configFile(folder, 'to', {})
    const root = join(folder, 'by variable')
    const env = {
      GAIA_DISK_STORAGE_ROOT_DIR: join(folder, 'neither'),
      TO_GAIA_DISK_STORAGE_ROOT_DIR: root,
      TO_MANDATE_REVOCATION_MAX_AGE: '0',
    }
    const { status, stderr } = await mandateCopy(folder, ['--from', from, '--to', to], env)
    expect(status, stderr).to.equal(0)
    expect([existsSync(join(root, bob)), existsSync(join(folder, 'neither'))]).to.deep.equal([true, false])
  })

  it('tells which of the two configurations is at fault, and a variable as it was set', async () => {
    const { from } = await filledDisk()
    const to = await configFile(folder, 'to', disk(join(folder, 'target')))
    const env = { TO_GAIA_PAGE_SIZE: 'many' }
    const { status, stderr } = await mandateCopy(folder, ['--from', from, '--to', to], env)
    expect(status, stderr).to.equal(2)
    expect(stderr)
      .to.include('the configuration of --to')
      .and.include('environment variable TO_GAIA_PAGE_SIZE')
  })

  const wrong: ReadonlyArray<
    readonly [title: string, args: (from: string) => readonly string[], status: number, tells: string]
  > = [
    ['without a destination', (from) => ['--from', from], 2, '--to'],
    [
      'with a configuration that is not there',
      (from) => ['--from', from, '--to', 'no.json'],
      2,
      '(flag --to): there is no such file',
    ],
    [
      'with a faulty configuration',
      (from) => ['--from', from, '--to', 'faulty.json'],
      2,
      'did you mean diskSettings?',
    ],
    [
      'from a folder that is not there',
      (from) => ['--from', 'missing.json', '--to', from],
      2,
      'there is no folder',
    ],
    ['from a storage to itself', (from) => ['--from', from, '--to', 'same.json'], 2, 'are of one storage'],
    ['from memory', (from) => ['--from', 'memory.json', '--to', from], 2, 'memory lies within one process'],
    [
      'with an address that is none',
      (from) => ['--from', from, '--to', 'to.json', '--address', 'a/b'],
      2,
      'letters and digits',
    ],
    [
      'with a number that is none',
      (from) => ['--from', from, '--to', 'to.json', '--concurrency', '0'],
      2,
      'from 1 to 256',
    ],
    [
      'to a driver that is not there',
      (from) => ['--from', from, '--to', 'plugin.json'],
      2,
      '"./none.js" is not there',
    ],
    ['to a folder that cannot be used', (from) => ['--from', from, '--to', 'file.json'], 1, 'cannot be used'],
    [
      'of an address that has nothing',
      (from) => ['--from', from, '--to', 'to.json', '--address', '1Nobody'],
      1,
      '1 could not be copied',
    ],
  ]
  for (const [title, args, status, tells] of wrong) {
    it(`ends with ${status} ${title}`, async () => {
      const { from } = await filledDisk({ [`${bob}/a`]: ['a/b', 'x'] })
      await configFile(folder, 'to', disk(join(folder, 'target')))
      await configFile(folder, 'faulty', { diskSetings: {} })
      await configFile(folder, 'missing', disk(join(folder, 'missing')))
      await configFile(folder, 'same', disk(`${join(folder, 'source')}/../source`))
      await configFile(folder, 'memory', { driver: 'memory' })
      await configFile(folder, 'plugin', { driver: './none.js' })
      await configFile(folder, 'file', disk(from))
      const ran = await mandateCopy(folder, args(from))
      expect(ran.status, ran.stderr).to.equal(status)
      expect(ran.stderr).to.include(tells)
      expect(existsSync(join(folder, 'missing'))).to.equal(false)
    })
  }

  it('refuses the record of a copy between other storages', async () => {
    const { from } = await filledDisk()
    const record = ['--record', join(folder, 'record')]
    const to = await configFile(folder, 'to', disk(join(folder, 'target')))
    const other = await configFile(folder, 'other', disk(join(folder, 'other')))
    expect((await mandateCopy(folder, ['--from', from, '--to', to, ...record])).status).to.equal(0)
    const { status, stderr } = await mandateCopy(folder, ['--from', from, '--to', other, ...record])
    expect(status).to.equal(2)
    expect(stderr).to.include('is that of a copy between other storages')
  })

  it('tells names of files so that they cannot rewrite the screen', async () => {
    const { from } = await filledDisk({ [`${bob}/a\u202eb`]: ['a/b', 'x'] })
    const to = await configFile(folder, 'to', disk(join(folder, 'target')))
    const { stdout } = await mandateCopy(folder, ['--from', from, '--to', to, '--dry-run'])
    expect(stdout).to.include('a\\u202eb').and.not.include('\u202e')
  })
})
