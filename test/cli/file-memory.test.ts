import { appendFile, mkdir, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { FileMemory } from '../../client/cli/sealed/file-memory.ts'
import { rejection } from '../client/rejection.ts'

describe('what the command line remembers of sealed files', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mandate-memory-'))
    file = join(folder, 'seen-sealed.jsonl')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is there for the next run, in a file that only its owner can read', async () => {
    const memory = new FileMemory(folder)
    expect(await memory.get('seen:a')).to.equal(null)
    await memory.set('seen:a', '5 xyz')
    expect(await memory.get('seen:a')).to.equal('5 xyz')
    expect(await new FileMemory(folder).get('seen:a')).to.equal('5 xyz')
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
  })

  it('loses nothing that runs at the same time have seen, and each sees what the others add', async () => {
    const runs = Array.from({ length: 4 }, () => new FileMemory(folder))
    await Promise.all(
      runs.flatMap((run, i) => Array.from({ length: 10 }, (_, j) => run.set(`seen:${i}/${j}`, `${j} s`))),
    )
    for (const run of [...runs, new FileMemory(folder)]) {
      expect(await run.names('seen:')).to.have.lengthOf(40)
      expect(await run.get('seen:3/9')).to.equal('9 s')
    }
  })

  it('keeps the newer of two versions, whoever writes last', async () => {
    const [a, b] = [new FileMemory(folder), new FileMemory(folder)]
    await a.set('seen:x', '7 new')
    await b.set('seen:x', '6 old')
    await b.set('seen:x', '7 another of the same number')
    const pin = (version: number, key: string) => JSON.stringify({ version, key })
    await a.set('pin:bob', pin(2, 'second'))
    await b.set('pin:bob', pin(1, 'first'))
    for (const memory of [a, b, new FileMemory(folder)]) {
      expect(await memory.get('seen:x')).to.equal('7 new')
      expect(await memory.get('pin:bob')).to.equal(pin(2, 'second'))
    }
  })

  it('goes on behind a line that a crash has cut', async () => {
    await new FileMemory(folder).set('seen:a', '1 s')
    await new FileMemory(folder).set('seen:b', '1 s')
    await truncate(file, (await stat(file)).size - 5)
    const memory = new FileMemory(folder)
    expect(await memory.get('seen:b')).to.equal(null)
    await memory.set('seen:c', '1 s')
    expect(await new FileMemory(folder).names('seen:')).to.deep.equal(['seen:a', 'seen:c'])
  })

  it('waits for what a crash a moment ago has left, rather than fail', async () => {
    const lock = join(folder, '.seen-sealed.lock')
    await mkdir(lock)
    const seconds = Date.now() / 1000 - 4
    await utimes(lock, seconds, seconds)
    await new FileMemory(folder).set('seen:a', '1 s')
    expect(await new FileMemory(folder).get('seen:a')).to.equal('1 s')
  })

  it('that is damaged is an error, not a forgotten version', async () => {
    await writeFile(file, '["seen:a","9 s"]\n["seen:b"]\n')
    expect((await rejection(new FileMemory(folder).get('seen:a'))).message).to.include('damaged')
  })

  it('does not grow for ever', async () => {
    const memory = new FileMemory(folder)
    await memory.set('seen:kept', '1 s')
    const line = (version: number) => `${JSON.stringify(['seen:x', `${version} ${'s'.repeat(80)}`])}\n`
    await appendFile(file, Array.from({ length: 11_000 }, (_, i) => line(i + 1)).join(''))
    await memory.set('seen:x', '20000 s')
    expect((await readFile(file, 'utf8')).split('\n')).to.have.lengthOf(3)
    expect(await memory.get('seen:kept')).to.equal('1 s')
    expect(await new FileMemory(folder).get('seen:x')).to.equal('20000 s')
  })
})
