import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { addressIn, endBins, startBin, tempFolder } from '../../../deploy/bins.ts'

/** More than the memory that the client may take, so that one which gathers the file is seen. */
const fileBytes = 224 * 1_048_576
const maxMemoryMiB = 200

/** Newer Nodes let more garbage lie; this is what docs/sdk.md advises there. */
const isNewer = Number(process.versions.node.split('.')[0]) >= 22
const advice = isNewer ? ['--max-semi-space-size=2'] : []

describe('a sealed file larger than the memory that a client may take', () => {
  after(endBins)

  it('is sealed, stored, read and opened as a stream', async () => {
    const hub = await startBin('mandate-serve', {
      file: {
        diskSettings: { storageRootDirectory: await tempFolder() },
        logLevel: 'warn',
        hub: { host: '127.0.0.1', port: 0, maxFileUploadSize: 2048 },
        reader: { host: '127.0.0.1', port: 0 },
      },
    })
    await hub.until('stop ')
    const script = fileURLToPath(new URL('transfer-child.js', import.meta.url))
    const args = [...advice, script, addressIn(hub, 'write at'), String(fileBytes)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const transfer = JSON.parse(stdout) as { isSame: boolean; peakMiB: number }
    expect(transfer.isSame).to.equal(true)
    expect(transfer.peakMiB).to.be.below(maxMemoryMiB)
  }).timeout(60_000)
})
