/**
 * Sends so many bytes to a hub as a stream, reads them back as one, and prints what came, and the most memory that
 * this process has taken, as JSON: `node transfer-child.js <hub URL> <bytes>`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, generateStacksSigner } from '../../../client/index.ts'

const [hub = '', bytes = ''] = process.argv.slice(2)
const size = Number(bytes)
const me = await connect({ hub, signer: generateStacksSigner() })

const sent = createHash('sha256')
let lastSent = 0
const start = performance.now()
await me.put('large.bin', () => content(sent), { size, onProgress: ({ loaded }) => (lastSent = loaded) })
const middle = performance.now()
const received = createHash('sha256')
const file = await me.get('large.bin', { asStream: true })
for await (const chunk of file.stream) received.update(chunk)
const end = performance.now()

process.stdout.write(
  JSON.stringify({
    isSame: sent.digest('hex') === received.digest('hex'),
    lastSent,
    size: file.size,
    peakMiB: peakMemoryMiB(),
    upMiBPerSecond: rate(middle - start),
    downMiBPerSecond: rate(end - middle),
  }),
)

/** Chunks of 64 KiB, each different. */
async function* content(hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += 65_536) {
    const chunk = Buffer.alloc(Math.min(65_536, size - offset), offset % 251)
    hash.update(chunk)
    yield chunk
  }
}

/** The high-water mark of this process's memory; that of `getrusage` counts the parent's too. */
function peakMemoryMiB(): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

function rate(ms: number): number {
  return Math.round((size / 1_048_576 / ms) * 1000)
}
