import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { suiteStage } from './sdk-stage.ts'

describe('client/examples/delegation', () => {
  const on = suiteStage(() => ({ maxFileUploadSizeMegabytes: 20 }))

  it('plays its story to the end', async () => {
    const script = fileURLToPath(new URL('../../client/examples/delegation.js', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [script, on.stage.hub.url])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/: http.*\//, ': ')),
    ).to.deep.equal([
      'Bob writes: cat.txt',
      'Bob writes elsewhere: not-covered',
      'Carol writes: sun.txt',
      'Carol writes elsewhere: not-covered',
      'Carol writes 2 MiB: not-covered',
      'Carol invokes: moon.txt',
      'Bob writes: revoked',
      'Carol writes: revoked',
    ])
  })
})
