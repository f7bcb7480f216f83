import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { suiteStage } from './sdk-stage.ts'

const script = fileURLToPath(new URL('../../client/examples/inbox.js', import.meta.url))

describe('the inbox of the examples', () => {
  const stage = suiteStage()
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mandate-inbox-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const run = async (...args: string[]) => {
    const env = { PATH: process.env.PATH ?? '', HUB: stage.stage.hub.url }
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: folder, env })
    return stdout.trim()
  }

  it('takes what those put in who have its link, and gives it to its owner alone', async () => {
    const did = await run('open', 'bob.key')
    expect((await stat(join(folder, 'bob.key'))).mode & 0o777).to.equal(0o600)
    const link = await run('invite', 'alice.key', did)
    await writeFile(join(folder, 'letter.txt'), 'dear alice')
    expect(await run('submit', 'bob.key', link, 'letter.txt')).to.match(
      /^inbox\/\d+-[0-9a-f]{8}-letter\.txt$/,
    )
    await run('submit', 'bob.key', link, 'letter.txt')

    const collected = (await run('collect', 'alice.key', 'in')).split('\n')
    expect(collected).to.have.lengthOf(2)
    for (const name of await readdir(join(folder, 'in'))) {
      expect(await readFile(join(folder, 'in', name), 'utf8')).to.equal('dear alice')
    }
    expect(await run('collect', 'alice.key', 'in')).to.equal('')
  })

  it('takes nothing too large, and nothing of those who were not asked', async () => {
    const link = await run('invite', 'alice.key', await run('open', 'bob.key'))
    await writeFile(join(folder, 'large'), Buffer.alloc(1024 * 1024 + 1))
    await writeFile(join(folder, 'small'), 'x')
    for (const [key, file] of [
      ['bob.key', 'large'],
      ['mallory.key', 'small'],
    ] as const) {
      const outcome = await run('submit', key, link, file).catch((error: unknown) => error)
      expect(outcome, `${key} ${file}`).to.be.an('error')
    }
    expect(await run('collect', 'alice.key', 'in')).to.equal('')
  })

  it('says how it is used where it is not told enough', async () => {
    const outcome = await run('submit', 'bob.key').catch((error: { code?: number; stderr?: string }) => error)
    expect(outcome).to.include({ code: 2 })
    expect((outcome as { stderr: string }).stderr).to.include('usage: inbox.js')
  })
})
