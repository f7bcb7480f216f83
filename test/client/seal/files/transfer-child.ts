/**
 * Sends so many bytes to a hub as a stream, plain and then sealed, reads both back, and prints the rates, whether all
 * came, and the most memory that this process has taken, as JSON: `node transfer-child.js <hub URL> <bytes>`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, generateStacksSigner } from '../../../../client/index.ts'
import { generateOpeningKey, sealedFiles, stacksOpeningKey } from '../../../../client/seal/index.ts'

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

async function rateOf(transfer: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await transfer()
  return Math.round((size / 1_048_576 / (performance.now() - start)) * 1000)
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0
  for await (const chunk of stream) length += chunk.length
  return length
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

const options = { size, sealFor: [] }
const plainUp = await rateOf(() => me.put('plain', () => content(), { size }))
const sealedUp = await rateOf(() => files.put('sealed', () => content(), options))
const plainDown = await rateOf(async () => drain((await me.get('plain', { asStream: true })).stream))
const sealedDown = await rateOf(async () => drain((await files.stream('sealed')).stream))
const isSame = (await digest((await files.stream('sealed')).stream)) === (await digest(content()))
const peakMiB = peakMemoryMiB()
const reader = await generateOpeningKey()
await files.share('sealed', [{ key: reader.did }])

process.stdout.write(JSON.stringify({ isSame, peakMiB, plainUp, sealedUp, plainDown, sealedDown }))
