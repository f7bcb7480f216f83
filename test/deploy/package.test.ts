import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const packageFile = fileURLToPath(new URL('../../../package.json', import.meta.url))

/** npx prepares a checkout whose commands it runs for the first time. */
describe('a checkout without what only development needs', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'))
    cpSync(packageFile, join(folder, 'package.json'))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  it('is prepared where it was built before: npx runs its commands', () => {
    mkdirSync(join(folder, 'build'))
    const { status, stderr } = prepare()
    expect(status, stderr).to.equal(0)
  })

  it('is not where it was never built', () => {
    expect(prepare().status).not.to.equal(0)
  })

  function prepare() {
    // Nothing is to be found beside what the folder holds.
    const env = { ...process.env, PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` }
    return spawnSync('npm', ['run', '--silent', 'prepare'], { cwd: folder, env, encoding: 'utf8' })
  }
})
