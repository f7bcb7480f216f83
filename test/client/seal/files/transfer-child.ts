/**
 * Seals so many bytes as a stream, reads them back as one, and prints whether all came, and the most memory that this
 * process has taken, as JSON: `node transfer-child.js <hub URL> <bytes>`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, generateStacksSigner } from '../../../../client/index.ts'
import { sealedFiles, stacksOpeningKey } from '../../../../client/seal/index.ts'

const [hub = '', bytes = ''] = process.argv.slice(2)
const size = Number(bytes)
const signer = generateStacksSigner()
const me = await connect({ hub, signer })
const files = sealedFiles(me, { keys: [stacksOpeningKey(signer)] })

/** Chunks of 64 KiB, each different. */
async function* content(): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += 65_536) {
    yield Buffer.alloc(Math.min(65_536, size - offset), offset % 251)
  }
}

async function digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** The high-water mark of this process's memory. */
function peakMemoryMiB(): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

await files.put('sealed', () => content(), { size, sealFor: [] })
const received = await digest((await files.stream('sealed')).stream)
const peakMiB = peakMemoryMiB()
const isSame = received === (await digest(content()))
process.stdout.write(JSON.stringify({ isSame, peakMiB }))
