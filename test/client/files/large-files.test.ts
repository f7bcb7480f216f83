import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { addressIn, endBins, startBin, tempFolder } from '../../deploy/bins.ts'

/** More than the memory that the client may take, so that one which gathers the file is seen. */
const fileBytes = 192 * 1_048_576
const maxMemoryMiB = 150
/** From Node 22 on, V8 lets more garbage gather, buffers above all, unless it is told not to. */
const nodeOptions = Number(process.versions.node.split('.')[0]) < 22 ? [] : ['--max-semi-space-size=2']

interface Transfer {
  isSame: boolean
  lastSent: number
  size: number
  peakMiB: number
}

describe('a file larger than the memory that a client may take', () => {
  after(endBins)

  it('goes up to a hub on disk and comes down again as a stream', async () => {
    const hub = await startBin('mandate-serve', {
      file: {
        diskSettings: { storageRootDirectory: await tempFolder() },
        logLevel: 'warn',
        hub: { host: '127.0.0.1', port: 0, maxFileUploadSize: 2048 },
        reader: { host: '127.0.0.1', port: 0 },
      },
    })
    await hub.until('stop ')
    const transfer = await transferAt(addressIn(hub, 'write at'), fileBytes)
    expect(transfer).to.include({ isSame: true, lastSent: fileBytes, size: fileBytes })
    expect(transfer.peakMiB).to.be.below(maxMemoryMiB)
  }).timeout(60_000)
})

async function transferAt(hubUrl: string, bytes: number): Promise<Transfer> {
  const script = fileURLToPath(new URL('transfer-child.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...nodeOptions,
    script,
    hubUrl,
    String(bytes),
  ])
  return JSON.parse(stdout) as Transfer
}
