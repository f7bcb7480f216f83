import { expect } from 'chai'
import { addressIn, type BinProcess, endBins, startBin, tempFolder } from './bins.ts'
import { alice, beginUpload, store } from './owner.ts'

const freePorts = ['--host', '127.0.0.1', '--port', '0']
const together = [...freePorts, '--reader-port', '0']

async function startTogether(file: unknown = {}, nodeArgs: string[] = []): Promise<BinProcess> {
  const running = await startBin('mandate-serve', { args: together, file, nodeArgs })
  await running.until('stop ')
  return running
}

describe('a process that runs hub and reader', () => {
  afterEach(endBins)

  it('tells where to write and where to read, and what is written at one is read at the other', async () => {
    const running = await startTogether()
    const stored = await store(addressIn(running, 'write at'), 'notes/a b.txt', 'hello')
    expect(stored.status).to.equal(202)
    const { publicURL } = (await stored.json()) as { publicURL: string }
    const read = await fetch(`${addressIn(running, 'read at')}${alice}/notes/a%20b.txt`)
    expect([read.status, await read.text()]).to.deep.equal([200, 'hello'])
    expect(await (await fetch(publicURL)).text()).to.equal('hello')
  })

  it('prints one summary: driver, folder, durability, who may write, limits, file and how to stop', async () => {
    const running = await startTogether()
    const text = running.stderr()
    expect(text).to.match(/^mandate [0-9.]+, hub and reader\n/)
    expect(text).to.include(`disk, ${running.folder}/data (fsync: a write survives a power cut)`)
    expect(text).to.include('open: anyone may write').and.include('this machine only')
    expect(text).to.include('20 MB a file').and.include('config.json').and.include('SIGTERM')
  })

  it('says in the summary that a whitelist closes the hub, and that a write may be lost without fsync', async () => {
    const running = await startTogether({ whitelist: [alice], diskSettings: { durability: 'none' } })
    expect(running.stderr())
      .to.include('whitelist of 1 address')
      .and.include('(none: a write may not survive')
    expect((await store(addressIn(running, 'write at'), 'a', 'x')).status).to.equal(202)
  })

  for (const [durability, synced] of [
    ['fsync', true],
    ['none', false],
  ] as const) {
    it(`${synced ? 'syncs' : 'does not sync'} a file to the disk with durability ${durability}`, async () => {
      // Node's own calls, told of before any module of ours can take hold of them.
      const tell = `for (const name of ['fsync', 'fdatasync']) {
        const call = fs[name]
        fs[name] = (...all) => (process.stderr.write('synced;'), call(...all))
      }`
      const code = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; ${tell}; syncBuiltinESMExports()`
      const preload = `data:text/javascript,${encodeURIComponent(code)}`
      const running = await startTogether({ diskSettings: { durability } }, ['--import', preload])
      const before = running.stderr().length
      expect((await store(addressIn(running, 'write at'), 'a', 'x')).status).to.equal(202)
      running.child.kill('SIGTERM')
      await running.exit()
      expect(running.stderr().slice(before).includes('synced;')).to.equal(synced)
    })
  }

  it('logs JSON on standard output, one line a request, and no token', async () => {
    const running = await startTogether()
    await store(addressIn(running, 'write at'), 'a', 'x')
    await running.until('"status":202')
    const stores = running.log().filter(({ method }) => method === 'POST')
    expect(stores).to.have.lengthOf(1)
    expect(stores[0]).to.include({ status: 202, server: 'hub' })
    expect(running.stdout() + running.stderr())
      .not.to.include('v1:')
      .and.not.include('eyJ')
  })

  it('warns on standard error of what it does not use', async () => {
    const running = await startTogether({ acmeConfig: { email: 'a@b.test' } })
    expect(running.stderr()).to.include('warning: not used: acmeConfig')
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes an upload under way at ${signal}, takes no new one, and ends with status 0`, async () => {
      const data = await tempFolder()
      const running = await startBin('mandate-serve', { args: [...together, '--data', data] })
      await running.until('stop ')
      const hubUrl = addressIn(running, 'write at')
      const upload = await beginUpload(hubUrl, 'a', 10)
      upload.write('01234')
      running.child.kill(signal)
      await running.until('"stopping"')
      const late = await fetch(`${hubUrl}hub_info`).then(
        () => 'answered',
        () => 'refused',
      )
      upload.write('56789')
      upload.end()
      expect([late, await upload.status, await running.exit()]).to.deep.equal(['refused', 202, 0])

      const reader = await startBin('mandate-reader', { args: [...freePorts, '--data', data] })
      await reader.until('stop ')
      const read = await fetch(`${addressIn(reader, 'read at')}${alice}/a`)
      expect(await read.text()).to.equal('0123456789')
    })
  }

  it('cuts off an upload that outlasts the grace time, and still ends with status 0', async () => {
    const running = await startTogether({ timeouts: { graceTimeout: 1 } })
    const hubUrl = addressIn(running, 'write at')
    const upload = await beginUpload(hubUrl, 'a', 10)
    upload.write('01234')
    const broken = upload.status.catch((error: unknown) => error)
    running.child.kill('SIGTERM')
    expect(await running.exit()).to.equal(0)
    expect(await broken).to.be.instanceOf(Error)
  })

  it('ends at once at a second signal', async () => {
    const running = await startTogether()
    const hubUrl = addressIn(running, 'write at')
    const upload = await beginUpload(hubUrl, 'a', 10)
    upload.write('01234')
    const broken = upload.status.catch((error: unknown) => error)
    running.child.kill('SIGTERM')
    await running.until('"stopping"')
    running.child.kill('SIGTERM')
    expect(await running.exit()).to.equal(1)
    expect(await broken).to.be.instanceOf(Error)
  })

  const faults = {
    'an error that nothing caught': "throw new Error('boom')",
    'a rejection that nothing handled': "Promise.reject(new Error('boom'))",
  }
  for (const [title, code] of Object.entries(faults)) {
    it(`logs ${title}, stops, and ends with status 1`, async () => {
      const preload = `data:text/javascript,process.on('SIGUSR2',()=>{${encodeURIComponent(code)}})`
      const running = await startTogether({}, ['--import', preload])
      running.child.kill('SIGUSR2')
      expect(await running.exit()).to.equal(1)
      const fatal = running.log().filter(({ level }) => level === 60)
      expect(fatal).to.have.lengthOf(1)
      expect(JSON.stringify(fatal)).to.include('boom')
    })
  }
})

describe('hub and reader as two processes with one file', () => {
  afterEach(endBins)

  it('work on one folder, the hub telling the address of the reader', async () => {
    const data = await tempFolder()
    const file = {
      diskSettings: { storageRootDirectory: data },
      hub: { host: '127.0.0.1', port: 0, readURL: 'https://files.test/r' },
      reader: { host: '127.0.0.1', port: 0, cacheControl: 'public, max-age=7' },
    }
    const hub = await startBin('mandate-hub', { file })
    const reader = await startBin('mandate-reader', { file })
    await Promise.all([hub.until('stop '), reader.until('stop ')])
    expect(addressIn(hub, 'read at')).to.equal('https://files.test/r/')
    const stored = await store(addressIn(hub, 'write at'), 'a', 'hello')
    expect(await stored.json()).to.have.property('publicURL', `https://files.test/r/${alice}/a`)
    const read = await fetch(`${addressIn(reader, 'read at')}${alice}/a`)
    expect([await read.text(), read.headers.get('cache-control')]).to.deep.equal([
      'hello',
      'public, max-age=7',
    ])
  })

  it("start with Gaia's own files", async () => {
    const diskSettings = { storageRootDirectory: await tempFolder() }
    const hub = await startBin('mandate-hub', {
      args: ['--port', '0', '--host', '127.0.0.1'],
      file: {
        servername: 'hub.test',
        port: 4000,
        driver: 'disk',
        readURL: 'http://localhost:8008',
        diskSettings,
      },
    })
    const reader = await startBin('mandate-reader', {
      args: ['--port', '0', '--host', '127.0.0.1'],
      file: { port: 8008, diskSettings },
    })
    await Promise.all([hub.until('stop '), reader.until('stop ')])
    expect((await store(addressIn(hub, 'write at'), 'a', 'hello')).status).to.equal(202)
    expect(await (await fetch(`${addressIn(reader, 'read at')}${alice}/a`)).text()).to.equal('hello')
  })
})
