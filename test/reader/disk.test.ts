import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { diskDriver } from '../../drivers/disk/index.ts'
import { closeServers, RawClient } from '../http/serve.ts'
import { alice, ask, keyOf, put, type ReaderHarness, readerAnswers, serveReader } from './answers.ts'

async function onDisk(): Promise<ReaderHarness & { root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'mandate-reader-'))
  const driver = await diskDriver({ root })
  const dispose = async () => {
    await driver.close()
    await rm(root, { recursive: true })
  }
  return { driver, dispose, root }
}

readerAnswers('the disk driver', onDisk)

/** How many files of a folder this process holds open; where the system tells. */
async function openFiles(root: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(root) && target.includes('large')).length
}

describe('the reader over files', () => {
  let harness: ReaderHarness & { root: string }
  before(async () => {
    harness = await onDisk()
  })
  afterEach(closeServers)
  after(() => harness.dispose())

  // Only Linux tells which files are open.
  const onLinux = process.platform === 'linux' ? it : () => {}
  onLinux('holds no file open after 200 clients closed early', async () => {
    await put(harness.driver, keyOf('large'), Buffer.alloc(8 * 1024 * 1024), 'text/plain')
    const server = await serveReader(harness.driver)
    let seen = 0
    const closeEarly = async () => {
      const client = new RawClient(server.port).send(`GET /${alice}/large HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.until(/^HTTP/)
      seen = Math.max(seen, await openFiles(harness.root))
      client.socket.destroy()
      await client.closed
    }
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, closeEarly))
    expect(seen).to.be.above(0)
    const deadline = performance.now() + 2_000
    while ((await openFiles(harness.root)) > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(await openFiles(harness.root)).to.equal(0)
    expect((await ask(server.url, 'GET', `/${alice}/large`)).body.length).to.equal(8 * 1024 * 1024)
  })
})
