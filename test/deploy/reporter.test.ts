import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

/** The last line that mocha prints over a suite, with our reporter. */
function lastLine(suite: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mandate-reporter-'))
  try {
    const file = join(folder, 'suite.cjs')
    writeFileSync(file, suite)
    const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url))
    const reporter = fileURLToPath(new URL('../reporter.js', import.meta.url))
    const args = [mocha, '--no-config', '--reporter', reporter, file]
    return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
      .stdout.trimEnd()
      .split('\n')
      .at(-1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the report of the tests', () => {
  it('ends with the sum, a skipped test counting as failed', () => {
    const suite = "it('a', () => {}); it('b', () => {}); it('c', () => { throw new Error('no') }); it('d')"
    expect(lastLine(suite)).to.equal('2 passed, 2 failed')
  })

  it('ends with zeros where nothing was run', () => {
    expect(lastLine('')).to.equal('0 passed, 0 failed')
  })
})
