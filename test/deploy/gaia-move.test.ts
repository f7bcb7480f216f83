import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { blocksOf } from '../docs/markdown.ts'
import { alice, type Person } from '../hub/people.ts'
import { type Claims, challenge, legacyToken, scopedToken, v1Token } from '../hub/tokens.ts'
import { addressIn, type Bin, type BinProcess, endBins, runBin, startBin, tempFolder } from './bins.ts'
import { GaiaDisk, md5, writtenSeconds } from './gaia-disk.ts'

/** Hub and reader as the documentation of Gaia configures them for its disk driver. */
const gaiasHub = {
  servername: 'localhost',
  port: 4000,
  driver: 'disk',
  readURL: 'http://localhost:4000/hub',
  proofsConfig: { proofsRequired: 0 },
  diskSettings: { storageRootDirectory: '/var/gaia/disk' },
  argsTransport: {
    level: 'debug',
    handleExceptions: true,
    stringify: true,
    timestamp: true,
    colorize: false,
    json: true,
  },
}
const gaiasReader = { port: 4001, diskSettings: { storageRootDirectory: '/var/gaia/disk' } }

describe("the move from a Gaia hub's folder, by the commands of docs/operations.md", () => {
  afterEach(endBins)

  it('begins with a look at both files, which tells what is not used and changes nothing', async () => {
    const { folder, disk } = await layOut()
    const before = await disk.list('.')
    const [hub, reader] = await Promise.all(
      commandsOf('look').map(({ bin, args }) => runBin(bin, { args: inFolder(folder, args) })),
    )
    expect([hub?.status, reader?.status], hub?.stderr).to.deep.equal([0, 0])
    expect(JSON.parse(hub?.stdout ?? '')).to.have.nested.property('hub.serverName', 'localhost')
    expect(hub?.stderr).to.include('warning: not used: argsTransport.handleExceptions')
    expect(JSON.parse(reader?.stdout ?? '')).to.have.nested.property('reader.port', 4001)
    expect(await disk.list('.')).to.deep.equal(before)
  })

  it('is rehearsed on a copy, at other ports', async () => {
    const { folder, disk } = await layOut()
    const [command] = commandsOf('rehearse')
    if (command === undefined) throw new Error('the runbook rehearses nothing')
    const args = inFolder(folder, command.args).map((arg) => (arg === 'rehearsal' ? disk.root : arg))
    expect(args).to.include.members(['--port', '4100', '--reader-port', '4101', disk.root])
    const running = await startBin(command.bin, { args: [...args, '--port', '0', '--reader-port', '0'], env })
    await running.until('stop ')
    const told = (await (await fetch(`${addressIn(running, 'write at')}hub_info`)).json()) as object
    expect(told).to.include({ read_url_prefix: 'http://localhost:4101/' })
    const read = await fetch(`${addressIn(running, 'read at')}${alice.address}/profile.json`)
    expect(await read.text()).to.equal('{"name":"Alice"}')
  })

  it('can be taken back: Gaia finds all that was written since, and what it needs to change it', async () => {
    const { disk, hub, store, stop } = await move()
    expect((await store('notes/today.txt', 'tea')).status).to.equal(202)
    expect((await store('new/with space.txt', 'new')).status).to.equal(202)
    const cut = revokedAt + 500
    const revoked = await fetch(`${hub}revoke-all/${alice.address}`, {
      method: 'POST',
      headers: { authorization: `bearer ${token(alice, fresh)}` },
      body: JSON.stringify({ oldestValidTimestamp: cut }),
    })
    expect(revoked.status).to.equal(202)
    await stop()

    const now = new Map(files.map(([path, body, type]) => [path, [body, type]]))
    now.set('notes/today.txt', ['tea', 'text/plain']).set('new/with space.txt', ['new', 'text/plain'])
    expect(await disk.list(alice.address)).to.have.members([...now.keys(), 'before-etags.txt'])
    for (const [path, [body, type]] of now) {
      const { etag, ...found } = await disk.read(alice.address, path)
      expect(found, path).to.deep.equal({ body, contentType: type })
      expect(etag, path).to.match(/^[\x21\x23-\x7e]+$/)
    }
    expect((await disk.read(`${alice.address}-auth`, 'authTimestamp')).body).to.equal(String(cut))
    await disk.delete(alice.address, 'new/with space.txt')
    await disk.write(alice.address, 'notes/today.txt', 'by Gaia again', 'text/plain')
    expect((await disk.read(alice.address, 'notes/today.txt')).body).to.equal('by Gaia again')
  })
})

describe("hub and reader over a Gaia hub's folder", () => {
  let moved: Awaited<ReturnType<typeof move>>
  before(async () => {
    moved = await move()
  })
  after(endBins)

  it('tell clients what Gaia told them: the challenge, and where to read', async () => {
    const info = (await (await fetch(`${moved.hub}hub_info`)).json()) as Record<string, unknown>
    expect(info).to.deep.include({
      challenge_text: challenge('0', 'localhost'),
      read_url_prefix: 'http://localhost:4000/hub/',
      latest_auth_version: 'v1',
      max_file_upload_size_megabytes: 20,
    })
  })

  it('serve each file with its bytes, the type that Gaia kept and the etag that Gaia gave', async () => {
    for (const [path, body, type] of files) {
      const answer = await moved.read(path)
      expect([answer.status, await answer.text()], path).to.deep.equal([200, body])
      expect(answer.headers.get('content-type'), path).to.equal(type)
      expect(answer.headers.get('etag'), path).to.equal(`"${md5(body)}"`)
    }
    const old = await moved.read('before-etags.txt')
    expect([old.headers.get('content-type'), await old.text()]).to.deep.equal(['text/plain', 'old'])
    expect(old.headers.get('etag')).to.match(/^"[^"]+"$/)
  })

  it('no longer serve the record of a revocation, which Gaia served to everybody', async () => {
    expect((await fetch(`${moved.reader}${alice.address}-auth/authTimestamp`)).status).to.equal(404)
  })

  it('list every file, former versions among them, with what Gaia knew of it', async () => {
    const { entries } = await moved.list({ page: null, stat: true })
    const names = entries.map((entry) => (entry as Entry).name)
    expect(names).to.have.members([...files.map(([path]) => path), 'before-etags.txt'])
    for (const [path, body, type] of files) {
      const entry = entries.find((one) => (one as Entry).name === path)
      expect(entry, path).to.include({
        contentType: type,
        etag: `"${md5(body)}"`,
        lastModifiedDate: writtenSeconds,
      })
    }
  })

  it('take the etag that a client got from Gaia, as it stands, and refuse a stale one', async () => {
    const attempts = [
      [md5('something else'), 412],
      [md5('bread'), 202],
      [md5('bread'), 412],
    ] as const
    for (const [etag, status] of attempts) {
      expect((await moved.store('shopping.txt', 'rice', { 'if-match': etag })).status).to.equal(status)
    }
    expect(await (await moved.read('shopping.txt')).text()).to.equal('rice')
  })

  const tokens: [title: string, credential: () => string, status: number][] = [
    ['issued before', () => token(alice, { iat: revokedAt - 1 }), 401],
    ['that does not say when it was issued', () => token(alice), 401],
    ['of the legacy kind', () => legacyToken(alice, challenge('0', 'localhost')), 401],
    ['issued after', () => token(alice, { iat: revokedAt + 1 }), 202],
  ]
  for (const [title, credential, status] of tokens) {
    it(`keep to what the owner has revoked at Gaia: a token ${title} is ${status}`, async () => {
      expect((await moved.store('later.txt', 'later', {}, credential())).status).to.equal(status)
    })
  }

  it('go on with the history that Gaia kept', async () => {
    const scopes = [{ scope: 'putFileArchival', domain: 'notes/today.txt' }]
    const archival = scopedToken(alice, scopes, { ...atThisHub, ...fresh })
    expect((await moved.store('notes/today.txt', 'coffee', {}, archival)).status).to.equal(202)
    const kept = (await namesOf(moved)).filter((name) => name.startsWith('notes/.history.'))
    expect(kept).to.have.lengthOf(2).and.include(history)
    const contents = await Promise.all(kept.map(async (name) => (await moved.read(name)).text()))
    expect(contents).to.have.members(['water', 'milk'])
    const shown = await namesOf(moved, archival)
    expect(shown).to.include('notes/today.txt')
    expect(shown.filter((name) => name.includes('.history.'))).to.deep.equal([])
  })
})

/** When the owner called Gaia's /revoke-all. */
const revokedAt = 1_600_000_000
const history = 'notes/.history.1590000000123.aB3dE5fG7h.today.txt'

const files: [path: string, body: string, contentType: string][] = [
  ['profile.json', '{"name":"Alice"}', 'application/json'],
  ['notes/today.txt', 'milk', 'text/plain'],
  [history, 'water', 'text/plain'],
  ['shopping.txt', 'bread', 'text/plain'],
  ['with space & ü.txt', 'odd', 'text/plain; charset=utf-8'],
  ['empty', '', 'application/octet-stream'],
]

/** A folder with the two files of Gaia's configuration, and what its hub has written. */
async function layOut() {
  const folder = await tempFolder()
  const disk = new GaiaDisk(join(folder, 'disk'))
  for (const [path, body, type] of files) await disk.write(alice.address, path, body, type)
  await disk.write(alice.address, 'before-etags.txt', 'old', 'text/plain', true)
  await disk.write(`${alice.address}-auth`, 'authTimestamp', String(revokedAt), 'text/plain; charset=UTF-8')
  const diskSettings = { storageRootDirectory: disk.root }
  await writeFile(join(folder, 'hub-config.json'), JSON.stringify({ ...gaiasHub, diskSettings }))
  await writeFile(join(folder, 'reader-config.json'), JSON.stringify({ ...gaiasReader, diskSettings }))
  return { folder, disk }
}

/** Nothing else than the folder that it has now, on free ports. */
const env = { GAIA_PORT: '0', MANDATE_HOST: '127.0.0.1', MANDATE_METRICS_ENABLED: 'false' }

/** Hub and reader over that folder, started as the runbook says. */
async function move() {
  const { folder, disk } = await layOut()
  const running = await Promise.all(
    commandsOf('switch').map(({ bin, args }) => startBin(bin, { args: inFolder(folder, args), env })),
  )
  const [hubProcess, readerProcess] = running
  if (hubProcess === undefined || readerProcess === undefined) throw new Error('the runbook starts no two')
  await Promise.all(running.map((one) => one.until('stop ')))
  const hub = addressIn(hubProcess, 'write at')
  const reader = addressIn(readerProcess, 'read at')
  return {
    disk,
    hub,
    reader,
    read: (path: string) => fetch(`${reader}${alice.address}/${encode(path)}`),
    list: (body: object, credential?: string) => list(hub, body, credential),
    store: (path: string, body: string, headers = {}, credential = token(alice, fresh)) =>
      fetch(`${hub}store/${alice.address}/${encode(path)}`, {
        method: 'POST',
        headers: { authorization: `bearer ${credential}`, 'content-type': 'text/plain', ...headers },
        body,
      }),
    stop: () => stopAll(running),
  }
}

async function stopAll(running: readonly BinProcess[]): Promise<void> {
  for (const { child } of running) child.kill('SIGTERM')
  await Promise.all(running.map((one) => one.exit()))
}

interface Entry {
  name: string
  contentType: string
  etag: string
  lastModifiedDate: number
}

async function list(hub: string, body: object, credential = token(alice, fresh)) {
  const answer = await fetch(`${hub}list-files/${alice.address}`, {
    method: 'POST',
    headers: { authorization: `bearer ${credential}` },
    body: JSON.stringify(body),
  })
  expect(answer.status).to.equal(202)
  return (await answer.json()) as { entries: (Entry | string)[]; page: string | null }
}

async function namesOf(moved: Awaited<ReturnType<typeof move>>, credential?: string): Promise<string[]> {
  const { entries, page } = await moved.list({ page: null }, credential)
  expect(page).to.equal(null)
  return entries.map(String)
}

/** Issued after what the owner has revoked. */
const fresh = { iat: revokedAt + 1000 }
const atThisHub = { gaiaChallenge: challenge('0', 'localhost'), hubUrl: 'http://localhost:4000' }

function token(who: Person, claims: Claims = {}): string {
  return v1Token(who, { ...atThisHub, ...claims })
}

function encode(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

interface Command {
  bin: Bin
  args: string[]
}

/** The commands of one step of the runbook: a `bash` block whose fence names the step. */
function commandsOf(step: string): Command[] {
  const block = blocksOf('docs/operations.md').find(
    ({ language, info }) => language === 'bash' && info === step,
  )
  const lines = [...(block?.text ?? '').matchAll(/^(?:[A-Z_]+=\S+ )?npx (mandate-\w+) ([^>&\n]*)/gm)]
  if (lines.length === 0) throw new Error(`the runbook has no commands for the step "${step}"`)
  return lines.map(([, bin = '', args = '']) => ({ bin: bin as Bin, args: args.trim().split(/ +/) }))
}

/** The runbook works where Gaia's files are. */
function inFolder(folder: string, args: readonly string[]): string[] {
  return args.map((arg) => (arg.endsWith('-config.json') ? join(folder, arg) : arg))
}
