import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { matcherOf } from '../../client/cli/sync/glob.ts'
import { planStep, type Sides } from '../../client/cli/sync/plan.ts'
import { type CliStage, suiteMachines } from './cli-stage.ts'

describe('what sync plans', () => {
  const synced = { etag: '"1"', size: 3, mtimeMs: 1000, sha256: 'a' }
  const local = { size: 3, mtimeMs: 1000 }
  const newer = { size: 3, mtimeMs: 2000 }
  const remote = { etag: '"1"', size: 3 }
  const other = { etag: '"2"', size: 9 }
  const rows: { title: string; sides: Sides; step: string | null; deleting?: string | null }[] = [
    { title: 'nothing where both are as they were', sides: { local, remote, synced }, step: null },
    { title: 'an upload of what is new here', sides: { local, remote: null, synced: null }, step: 'upload' },
    { title: 'an upload of what changed here', sides: { local: newer, remote, synced }, step: 'upload' },
    {
      title: 'a download of what is new there',
      sides: { local: null, remote, synced: null },
      step: 'download',
    },
    { title: 'a download of what changed there', sides: { local, remote: other, synced }, step: 'download' },
    {
      title: 'a comparison of what both changed',
      sides: { local: newer, remote: other, synced },
      step: 'compare',
    },
    { title: 'a comparison before the first run', sides: { local, remote, synced: null }, step: 'compare' },
    {
      title: 'to leave what was deleted here, and delete it there only if asked',
      sides: { local: null, remote, synced },
      step: 'kept',
      deleting: 'delete-remote',
    },
    {
      title: 'to leave what was deleted there, and delete it here only if asked',
      sides: { local, remote: null, synced },
      step: 'kept',
      deleting: 'delete-local',
    },
    {
      title: 'to keep what changed there after it was deleted here',
      sides: { local: null, remote: other, synced },
      step: 'download',
    },
    {
      title: 'to keep what changed here after it was deleted there',
      sides: { local: newer, remote: null, synced },
      step: 'upload',
    },
    { title: 'to forget what both deleted', sides: { local: null, remote: null, synced }, step: 'forget' },
  ]
  for (const { title, sides, step, deleting = step } of rows) {
    it(`is ${title}`, () => {
      expect(planStep('p', sides, { deletes: false })?.do ?? null).to.equal(step)
      expect(planStep('p', sides, { deletes: true })?.do ?? null).to.equal(deleting)
    })
  }

  it('holds an upload to the version that it replaces', () => {
    const sides = { local: newer, remote, synced }
    expect(planStep('p', sides, { deletes: false })).to.include({ do: 'upload', over: '"1"' })
    const fresh = { local, remote: null, synced: null }
    expect(planStep('p', fresh, { deletes: false })).to.include({ do: 'upload', over: null })
  })
})

describe('patterns of what sync leaves out', () => {
  const rows: [pattern: string, matching: string[], others: string[]][] = [
    ['*.log', ['a.log', 'x/y/b.log'], ['a.log.txt', 'log']],
    ['node_modules', ['node_modules', 'node_modules/a/b', 'x/node_modules/c'], ['node_modules2']],
    ['build/*.js', ['build/a.js'], ['build/x/a.js', 'x/build/a.js']],
    ['build/**', ['build/a', 'build/x/a.js'], ['builds/a']],
    ['a?c', ['abc', 'x/abc'], ['ac', 'abbc']],
    ['a.(b)+', ['a.(b)+'], ['aX(b)+', 'a.bb']],
  ]
  for (const [pattern, matching, others] of rows) {
    it(`${pattern} matches what it says`, () => {
      const matches = matcherOf(pattern)
      expect(matching.filter((path) => !matches(path))).to.deep.equal([])
      expect(others.filter(matches)).to.deep.equal([])
    })
  }
})

describe('sync by the command line', () => {
  const suite = suiteMachines()

  /** One user with two folders that are held to one in the bucket. */
  async function twoFolders(): Promise<CliStage> {
    const machine = await suite.machineOf('alice')
    await mkdir(join(machine.folder, 'one'))
    await mkdir(join(machine.folder, 'two'))
    return machine
  }
  const syncOne = (machine: CliStage, ...more: string[]) => machine.run(['sync', 'one', 'd/', ...more])
  const syncTwo = (machine: CliStage, ...more: string[]) => machine.run(['sync', 'two', 'd/', ...more])
  const filesOf = async (machine: CliStage, folder: string) =>
    (await readdir(join(machine.folder, folder), { recursive: true }))
      .filter((name) => name !== '.mandate-sync.json')
      .sort()

  it('brings new and changed files both ways, and does nothing when nothing changed', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'a')
    await machine.write('one/sub/b.txt', 'b')
    await machine.write('two/c.txt', 'c')
    for (const sync of [syncOne, syncTwo, syncOne]) expect((await sync(machine)).status).to.equal(0)
    expect(await filesOf(machine, 'one')).to.deep.equal(await filesOf(machine, 'two'))
    expect(await machine.read('one/c.txt')).to.equal('c')
    const before = (await machine.ok(['ls', '--json'])).stdout
    for (const sync of [syncOne, syncTwo]) expect((await sync(machine)).stdout).to.equal('')
    expect((await machine.ok(['ls', '--json'])).stdout).to.equal(before)
  })

  it('keeps both versions of what both have changed, on both sides, and ends with status 4', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'first')
    await syncOne(machine)
    await syncTwo(machine)
    await machine.write('one/a.txt', 'of one')
    await machine.write('two/a.txt', 'of two')
    expect((await syncOne(machine)).status).to.equal(0)
    expect((await syncTwo(machine)).status).to.equal(4)
    expect((await syncOne(machine)).status).to.equal(0)
    for (const folder of ['one', 'two']) {
      const [kept = '', ...rest] = await filesOf(machine, folder)
      expect(kept).to.match(/^a\.conflict-\d{8}-\d{6}\.txt$/)
      expect(rest).to.deep.equal(['a.txt'])
      expect(await machine.read(`${folder}/a.txt`)).to.equal('of one')
      expect(await machine.read(`${folder}/${kept}`)).to.equal('of two')
    }
    for (const sync of [syncOne, syncTwo]) expect((await sync(machine)).stdout).to.equal('')
  })

  it('sees that both sides have the same, without its notes, and touched files as what they were', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'same')
    await syncOne(machine)
    const before = (await machine.ok(['ls', '--json'])).stdout
    await rm(join(machine.folder, 'one/.mandate-sync.json'))
    expect((await syncOne(machine)).stdout).to.equal('same           a.txt\n')
    await utimes(join(machine.folder, 'one/a.txt'), 1, 1)
    expect((await syncOne(machine)).stdout).to.equal('same           a.txt\n')
    expect((await machine.ok(['ls', '--json'])).stdout).to.equal(before)
  })

  it('passes deletions on only if asked, and not those of what changed', async () => {
    const machine = await twoFolders()
    for (const name of ['a', 'b', 'sub/c']) await machine.write(`one/${name}`, name)
    await syncOne(machine)
    await syncTwo(machine)
    await rm(join(machine.folder, 'one/a'))
    await rm(join(machine.folder, 'one/sub'), { recursive: true })
    await rm(join(machine.folder, 'one/b'))
    await machine.write('two/b', 'changed')
    expect((await syncOne(machine)).stdout).to.include('kept           a  (deleted here')
    expect(await filesOf(machine, 'one')).to.deep.equal([])
    await syncTwo(machine)
    await syncOne(machine, '--delete')
    await syncTwo(machine, '--delete')
    for (const folder of ['one', 'two']) {
      expect(await filesOf(machine, folder)).to.deep.equal(['b'])
      expect(await machine.read(`${folder}/b`)).to.equal('changed')
    }
  })

  it('does nothing in a dry run', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'a')
    const { stdout } = await syncOne(machine, '--dry-run')
    expect(stdout).to.equal('would upload        a.txt\n')
    expect((await machine.ok(['ls'])).stdout).to.equal('')
    expect(await readdir(join(machine.folder, 'one'))).to.deep.equal(['a.txt'])
  })

  it('loses nothing of what somebody stores there while it runs', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'first')
    await syncOne(machine)
    await machine.write('one/a.txt', 'of one')
    // Another one is faster, between the look at both sides and the upload.
    let isDone = false
    const interfering: typeof fetch = async (input, init) => {
      if (!isDone && init?.method === 'POST' && urlOf(input).includes('/store/')) {
        isDone = true
        await machine.ok(['put', '-', 'd/a.txt', '--force'], { stdin: 'of another' })
      }
      return fetch(input, init)
    }
    const run = await machine.run(['sync', 'one', 'd/'], { fetch: interfering })
    expect(isDone).to.equal(true)
    expect([run.status, run.stderr.includes('changed there meanwhile')]).to.deep.equal([4, true])
    expect((await machine.ok(['cat', 'd/a.txt'])).stdout).to.equal('of another')
    expect((await syncOne(machine)).status).to.equal(4)
    const names = await filesOf(machine, 'one')
    const texts = await Promise.all(names.map((name) => machine.read(`one/${name}`)))
    expect(texts.sort()).to.deep.equal(['of another', 'of one'])
  })

  it('loses nothing of what somebody writes here while it runs', async () => {
    const machine = await twoFolders()
    await machine.write('one/a.txt', 'first')
    await syncOne(machine)
    await machine.ok(['put', '-', 'd/a.txt', '--force'], { stdin: 'of the hub' })
    let isDone = false
    const interfering: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (!isDone && (init?.method ?? 'GET') === 'GET' && urlOf(input).endsWith('/d/a.txt')) {
        isDone = true
        await machine.write('one/a.txt', 'just typed')
      }
      return response
    }
    const run = await machine.run(['sync', 'one', 'd/'], { fetch: interfering })
    expect([isDone, run.status]).to.deep.equal([true, 4])
    const names = await filesOf(machine, 'one')
    const texts = await Promise.all(names.map((name) => machine.read(`one/${name}`)))
    expect(texts.sort()).to.deep.equal(['just typed', 'of the hub'])
  })

  it('takes no file of the bucket for its own notes, and leaves out what is excluded', async () => {
    const machine = await twoFolders()
    await machine.ok(['put', '-', 'd/.mandate-sync.json'], { stdin: '{"version":1,"targets":{}}' })
    await machine.ok(['put', '-', 'd/x.log'], { stdin: 'x' })
    await machine.write('one/y.log', 'y')
    await machine.write('one/a.txt', 'a')
    const run = await syncOne(machine, '--exclude', '*.log')
    expect(run.status).to.equal(0)
    expect(run.stdout).to.equal('uploaded       a.txt\n')
    expect(run.stderr).to.include('.mandate-sync.json is no name for a file of this folder')
    expect(await filesOf(machine, 'one')).to.deep.equal(['a.txt', 'y.log'])
  })

  it('says that its notes are damaged, and what to do', async () => {
    const machine = await twoFolders()
    await writeFile(join(machine.folder, 'one/.mandate-sync.json'), 'nothing')
    const { status, stderr } = await syncOne(machine)
    expect([status, stderr.includes('Remove it')]).to.deep.equal([1, true])
  })
})

function urlOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : input.toString()
}
