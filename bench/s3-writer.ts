/**
 * Writes objects by the S3 driver, or by the SDK alone, as often as it is told to. A process of its own, so that its
 * memory can be told.
 *
 * Usage (with an IPC channel): node s3-writer.js driver|sdk
 */
import { Readable } from 'node:stream'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { parseKey } from '../drivers/parse-key.ts'
import { s3Driver } from '../drivers/s3/index.ts'
import type { Writer, WriterJob, WriterPlace } from './s3-jobs.ts'

const pieceBytes = 64 * 1024
const piece = Buffer.alloc(pieceBytes, 'x')
const contentType = 'application/octet-stream'

/** A body in the pieces that sockets bring. Each begins with other bytes, so that no two versions have one etag. */
function bodyOf(bytes: number): Readable {
  return Readable.from(pieces(bytes), { objectMode: false })
}

function* pieces(bytes: number): Generator<Buffer> {
  yield firstPiece(Math.min(bytes, pieceBytes))
  for (let left = bytes - pieceBytes; left > 0; left -= pieceBytes) yield piece.subarray(0, left)
}

let versions = 0

function firstPiece(bytes: number): Buffer {
  const first = Buffer.from(piece.subarray(0, bytes))
  first.writeUInt32LE(versions++)
  return first
}

async function byDriver({ endpoint, bucket, credentials }: WriterPlace): Promise<Writer> {
  const driver = await s3Driver({ endpoint, bucket, credentials })
  return async (name, { bytes, isSizeKnown }, etag) => {
    const { etag: written } = await driver.write(parseKey(`1Bench/${name}`), bodyOf(bytes), {
      contentType,
      ...(isSizeKnown ? { size: bytes } : {}),
      ...(etag === undefined ? {} : { condition: { ifMatch: etag } }),
    })
    return written
  }
}

/** What the SDK does fastest: a small body as it is, a large one as a stream of known length. */
async function bySdk(place: WriterPlace): Promise<Writer> {
  const { endpoint, bucket, credentials } = place
  const client = new S3Client({
    endpoint,
    credentials,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return async (name, { bytes }, etag) => {
    const isSmall = bytes <= pieceBytes
    const answer = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `1Sdk/${name}`,
        Body: isSmall ? firstPiece(bytes) : bodyOf(bytes),
        ContentLength: bytes,
        ContentType: contentType,
        // The server wants it without quotes.
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    )
    return (answer.ETag ?? '').replaceAll('"', '')
  }
}

let files = 0

/** @returns objects a second */
async function run(write: Writer, job: WriterJob): Promise<number> {
  const etags = await prepare(write, job)
  const beganMs = performance.now()
  let count = 0
  const isOver = () => performance.now() - beganMs >= job.seconds * 1000
  const work = Array.from({ length: job.connections }, async (_, connection) => {
    let etag = etags[connection]
    do {
      const name = job.isOverwrite ? String(connection) : `new-${files++}`
      const written = await write(name, job, etag)
      if (etag !== undefined) etag = written
      count++
    } while (!isOver())
  })
  await Promise.all(work)
  return count / ((performance.now() - beganMs) / 1000)
}

/** The versions that a job with conditions begins with. */
async function prepare(write: Writer, job: WriterJob): Promise<string[]> {
  if (!job.isConditional) return []
  const small = { ...job, bytes: 1024 }
  return await Promise.all(
    Array.from({ length: job.connections }, (_, connection) => write(String(connection), small, undefined)),
  )
}

const open = process.argv[2] === 'sdk' ? bySdk : byDriver
let writer: Promise<Writer> | undefined

async function answer(message: WriterPlace | WriterJob): Promise<number> {
  if ('endpoint' in message) {
    writer = open(message)
    await writer
    return 0
  }
  if (writer === undefined) throw new Error('no place to write to')
  return await run(await writer, message)
}

process.once('disconnect', () => process.exit())
process.on('message', (message: WriterPlace | WriterJob) => {
  answer(message).then(
    (rate) => process.send?.(rate),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    },
  )
})
