/**
 * One transfer under measurement: `node transfer.js <hub URL> <bytes> plain|sealed` stores so many bytes as a stream and
 * reads them back as one. Prints the rates in MB/s and the most memory that this process had, in MiB, as JSON.
 */
import { readFile } from 'node:fs/promises'
import { connect, generateStacksSigner } from '../client/index.ts'
import { sealedFiles, stacksOpeningKey } from '../client/seal/index.ts'

export interface Transfer {
  up: number
  down: number
  peakMib: number | null
}

const [hub = '', bytes = '', kind = ''] = process.argv.slice(2)
const size = Number(bytes)
const signer = generateStacksSigner()
const connection = await connect({ hub, signer })
const sealed = sealedFiles(connection, { keys: [stacksOpeningKey(signer)] })
const chunk = Buffer.alloc(65_536, 'x')

async function* content(): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += chunk.length) yield chunk.subarray(0, size - offset)
}

async function store(): Promise<void> {
  if (kind === 'sealed') await sealed.put('file', () => content(), { size, sealFor: [] })
  else await connection.put('file', () => content(), { size })
}

async function read(): Promise<void> {
  const { stream } =
    kind === 'sealed' ? await sealed.stream('file') : await connection.get('file', { asStream: true })
  let read = 0
  for await (const part of stream) read += part.length
  if (read !== size) throw new Error(`${read} bytes were read of ${size}`)
}

async function rateOf(transfer: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await transfer()
  return size / 1000 / (performance.now() - began)
}

async function peakMib(): Promise<number | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const kib = /VmHWM:\s+(\d+) kB/.exec(status)?.[1]
  return kib === undefined ? null : Number(kib) / 1024
}

const up = await rateOf(store)
const down = await rateOf(read)
process.stdout.write(JSON.stringify({ up, down, peakMib: await peakMib() } satisfies Transfer))
