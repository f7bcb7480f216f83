import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { placeBelow } from '../../client/cli/transfers/local-path.ts'
import { keyOf, suiteMachines } from './cli-stage.ts'

describe('files by the command line', () => {
  const suite = suiteMachines(() => ({ maxFileUploadSizeMegabytes: 8 }))

  it('are stored, listed, read, fetched and deleted', async () => {
    const machine = await suite.machineOf('alice')
    await machine.write('cat.txt', 'a cat')
    const [put] = (await machine.ok(['put', 'cat.txt', 'photos/', '--json'])).json()
    expect(put).to.include({ path: 'photos/cat.txt', size: 5 })
    expect(await (await fetch(String(put?.url))).text()).to.equal('a cat')
    expect((await machine.ok(['ls'])).stdout).to.equal('photos/cat.txt\n')
    expect((await machine.ok(['ls', '-l', 'photos/'])).stdout).to.match(
      /^ +5 B {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}text\/plain; charset=utf-8 {2}photos\/cat\.txt\n$/,
    )
    expect((await machine.ok(['cat', 'photos/cat.txt'])).stdout).to.equal('a cat')
    await machine.ok(['get', 'photos/cat.txt', 'tom.txt'])
    expect(await machine.read('tom.txt')).to.equal('a cat')
    await machine.ok(['rm', 'photos/cat.txt'])
    expect((await machine.run(['cat', 'photos/cat.txt'])).status).to.equal(3)
  })

  it('go up and come down by the folder, with awkward names, and no link is followed', async () => {
    const machine = await suite.machineOf('alice')
    const names = ['a b.txt', '100%.txt', 'q?#&+.txt', 'sub/é/ü.txt', 'sub/.hidden', 'sub/a:b', '-n']
    for (const name of names) await machine.write(`tree/${name}`, `of ${name}`)
    await machine.write('secret.txt', 'not theirs')
    await symlink(join(machine.folder, 'secret.txt'), join(machine.folder, 'tree/link'))
    await symlink(machine.folder, join(machine.folder, 'tree/loop'))
    const put = await machine.ok(['put', '-r', 'tree', 'up/', '--json'])
    expect(put.json().map(({ path }) => path)).to.have.members(names.map((name) => `up/tree/${name}`))
    expect(put.stderr).to.include('tree/link is a link; left out')
    await machine.ok(['get', '-r', 'up/tree/', 'down'])
    for (const name of names) expect(await machine.read(`down/${name}`)).to.equal(`of ${name}`)
  })

  it('are stored from standard input, of any length', async () => {
    const machine = await suite.machineOf('alice')
    const chunks = function* () {
      for (let i = 0; i < 64; i++) yield Buffer.alloc(65_536, i)
    }
    const [put] = (
      await machine.ok(['put', '-', 'big.bin', '--json'], { stdin: Readable.from(chunks()) })
    ).json()
    expect(put).to.include({ path: 'big.bin', size: 4_194_304 })
    const empty = await machine.ok(['put', '-', 'empty.txt', '--json'])
    expect(empty.json()[0]).to.include({ size: 0 })
    await machine.ok(['get', 'empty.txt'])
    expect(await machine.read('empty.txt')).to.equal('')
  })

  it('are not replaced by accident, at the hub or here', async () => {
    const machine = await suite.machineOf('alice')
    await machine.write('a.txt', 'first')
    const [first] = (await machine.ok(['put', 'a.txt', '--json'])).json()
    await machine.write('a.txt', 'second')
    const refused = await machine.run(['put', 'a.txt', '--json'])
    expect(refused.status).to.equal(4)
    expect((JSON.parse(refused.stderr) as { error: object }).error).to.include({
      exit: 'conflict',
      etag: first?.etag,
    })
    expect((await machine.run(['get', 'a.txt'])).status).to.equal(4)
    expect(await machine.read('a.txt')).to.equal('second')
    expect((await machine.ok(['cat', 'a.txt'])).stdout).to.equal('first')
    await machine.ok(['put', 'a.txt', '--if-match', String(first?.etag).replaceAll('"', '')])
    expect((await machine.run(['put', 'a.txt', '--if-match', String(first?.etag)])).status).to.equal(4)
    await machine.write('a.txt', 'third')
    await machine.ok(['get', 'a.txt', '--force'])
    expect(await machine.read('a.txt')).to.equal('second')
  })

  it('have a history that is listed and restored, and restoring loses nothing', async () => {
    const machine = await suite.machineOf('alice')
    for (const text of ['one', 'two', 'three']) {
      await machine.ok(['put', '-', 'a.txt', '--force', '--keep-history'], { stdin: text })
    }
    const versions = (await machine.ok(['history', 'a.txt', '--json'])).json()
    expect(versions.map(({ size }) => size)).to.deep.equal([3, 3])
    await machine.ok(['restore', 'a.txt', String(versions[1]?.version)])
    expect((await machine.ok(['cat', 'a.txt'])).stdout).to.equal('one')
    expect((await machine.ok(['history', 'a.txt', '--json'])).json()).to.have.lengthOf(3)
    expect((await machine.ok(['ls'])).stdout).to.equal('a.txt\n')
    expect((await machine.run(['restore', 'a.txt', 'nothing'])).status).to.equal(3)
    expect((await machine.run(['history', 'b.txt'])).status).to.equal(3)
  })

  it('that fail do not stop the others, and the status is that of the first failure', async () => {
    const machine = await suite.machineOf('alice')
    for (const name of ['a', 'b', 'c']) await machine.write(`tree/${name}`, name)
    await machine.ok(['put', '-', 'tree/b'], { stdin: 'there already' })
    const { status, stdout, stderr } = await machine.run(['put', '-r', 'tree', '--parallel', '1'])
    expect(status).to.equal(4)
    expect(stdout.trim().split('\n')).to.have.lengthOf(2)
    expect(stderr).to.include('tree/b: another version is there already').and.to.include('1 of 3 failed')
  })

  it('below a folder are deleted only by who says so, and not by a dry run', async () => {
    const machine = await suite.machineOf('alice')
    for (const name of ['d/a', 'd/b', 'e']) await machine.ok(['put', '-', name], { stdin: name })
    expect((await machine.run(['rm', 'd/'])).status).to.equal(2)
    expect((await machine.run(['rm', '-r', 'd/'])).status).to.equal(2)
    expect((await machine.ok(['rm', '-r', '--dry-run', 'd/'])).stdout).to.equal(
      'would delete d/a\nwould delete d/b\n',
    )
    expect((await machine.ok(['ls'])).stdout).to.equal('d/a\nd/b\ne\n')
    await machine.ok(['rm', '-r', '--yes', 'd/'])
    expect((await machine.ok(['ls'])).stdout).to.equal('e\n')
  })

  it('of anybody are read without a key', async () => {
    const machine = await suite.machineOf('alice')
    await machine.ok(['put', '-', 'a.txt'], { stdin: 'for all' })
    const { address, did } = await keyOf(machine, 'alice')
    const other = await suite.machine()
    for (const owner of [address, did, `gaia://${address}/`]) {
      const text = owner.startsWith('gaia:') ? `${owner}a.txt` : `${owner}:a.txt`
      expect((await other.ok(['cat', text])).stdout).to.equal('for all')
    }
  })

  it('of an owner who is not known are an error, not a file of that name', async () => {
    const machine = await suite.machineOf('alice')
    expect((await machine.run(['put', '-', 'alcie:a.txt'], { stdin: 'x' })).status).to.equal(2)
    await machine.ok(['put', '-', ':alcie:a.txt'], { stdin: 'x' })
    expect((await machine.ok(['ls'])).stdout).to.equal('alcie:a.txt\n')
  })

  /** A machine on which the fetching of a file was interrupted, and how much of it is there. */
  async function interruptedGet(bytes: Buffer) {
    const machine = await suite.machineOf('alice')
    await writeFile(join(machine.folder, 'big.bin'), bytes)
    await machine.ok(['put', 'big.bin'])
    const controller = new AbortController()
    const cutting: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      const isFile =
        response.headers.get('content-length') === String(bytes.length) && init?.method !== 'HEAD'
      return isFile ? cutAfter(response, 1_000_000, () => controller.abort()) : response
    }
    const cut = await machine.run(['get', 'big.bin', 'got.bin'], {
      fetch: cutting,
      signal: controller.signal,
    })
    expect(cut.status).to.equal(130)
    const [part = ''] = (await readdir(machine.folder)).filter((name) => name.startsWith('.got.bin.'))
    const { size } = await stat(join(machine.folder, part))
    expect(size).to.be.greaterThan(0).and.lessThan(bytes.length)
    return { machine, size }
  }

  it('go on being fetched where an interrupted run ended, and appear only when whole', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abcdefg')
    const { machine, size } = await interruptedGet(bytes)
    const ranges: (string | null)[] = []
    const watching: typeof fetch = (input, init) => {
      ranges.push(new Headers(init?.headers).get('range'))
      return fetch(input, init)
    }
    await machine.ok(['get', 'big.bin', 'got.bin'], { fetch: watching })
    expect(ranges).to.include(`bytes=${size}-`)
    expect((await machine.read('got.bin')) === bytes.toString()).to.equal(true)
    expect(await readdir(machine.folder)).to.have.members(['big.bin', 'got.bin'])
  })

  it('that were replaced meanwhile are not mixed with what an interrupted run has left', async () => {
    const { machine } = await interruptedGet(Buffer.alloc(3_000_000, 'a'))
    const other = 'b'.repeat(3_000_000)
    await machine.ok(['put', '-', 'big.bin', '--force'], { stdin: other })
    await machine.ok(['get', 'big.bin', 'got.bin'])
    expect((await machine.read('got.bin')) === other).to.equal(true)
    expect(await readdir(machine.folder)).to.have.members(['big.bin', 'got.bin'])
  })

  describe('whose names others have given', () => {
    for (const path of [
      '../mallory',
      'a/../../mallory',
      '/mallory',
      'a//b',
      '',
      '.',
      'a/\0',
      '.x.mandate-part',
    ]) {
      it(`are not placed outside of the folder: ${JSON.stringify(path)}`, async () => {
        const machine = await suite.machine()
        const refused = await placeBelow(machine.folder, path).catch((error: unknown) => error)
        expect(refused).to.have.property('exit', 'invalid')
        expect(await readdir(machine.home)).to.deep.equal(['work'])
      })
    }

    it('are not placed through a link that leads out of the folder', async () => {
      const machine = await suite.machine()
      await mkdir(join(machine.folder, 'target'))
      await symlink(machine.home, join(machine.folder, 'target/out'))
      const refused = await placeBelow(join(machine.folder, 'target'), 'out/mallory').catch(
        (error: unknown) => error,
      )
      expect(refused).to.have.property('exit', 'invalid')
    })

    it('cannot rewrite the screen', async () => {
      const machine = await suite.machineOf('alice')
      // The hub takes these: they are no control characters of ASCII.
      await machine.ok(['put', '-', 'invoice\u202efdp.exe'], { stdin: 'x' })
      expect((await machine.ok(['ls'])).stdout).to.equal('invoice\\u202efdp.exe\n')
    })
  })
})

/** An answer whose body stands still after so many bytes. */
function cutAfter(response: Response, bytes: number, onCut: () => void): Response {
  const reader = response.body?.getReader()
  let left = bytes
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = (await reader?.read()) ?? {}
      if (value === undefined || left <= 0) {
        onCut()
        await reader?.cancel()
        controller.error(new TypeError('terminated'))
        return
      }
      left -= value.length
      controller.enqueue(value)
    },
  })
  return new Response(body, { status: response.status, headers: response.headers })
}
