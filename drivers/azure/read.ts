import { Readable } from 'node:stream'
import type { BlobClient, BlobDownloadResponseParsed } from '@azure/storage-blob'
import { checkCondition } from '../condition.ts'
import type { ObjectInfo, ReadOptions, ReadRange, ReadResult } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { GuardedBody } from '../guarded-body.ts'
import { resolveRange } from '../range.ts'
import { asDriverError } from './errors.ts'
import { infoOf, isEtag, matching, statBlob } from './info.ts'

/** Each time round, a writer has replaced the object in between. */
const maxAttempts = 10

/** One request, whose answer says of which version its bytes are; a suffix needs the size first. */
export async function readBlob(
  blob: BlobClient,
  options: ReadOptions,
  stallMs: number,
): Promise<ReadResult | null> {
  const { range, ifMatch } = options
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (range === undefined || 'first' in range) {
      if (ifMatch === undefined || isEtag(ifMatch)) return await download(blob, stallMs, range, ifMatch)
    }
    const current = await statBlob(blob)
    if (current === null) return null
    if (ifMatch !== undefined) checkCondition({ ifMatch }, current.etag)
    const result = await tryDownload(blob, stallMs, current, range)
    if (result !== 'replaced') return result
  }
  throw new DriverError('busy', 'the object is overwritten faster than it can be read')
}

/** Reads a part of the version that was just looked at. */
async function tryDownload(
  blob: BlobClient,
  stallMs: number,
  { etag, size }: ObjectInfo,
  range: ReadRange | undefined,
): Promise<ReadResult | null | 'replaced'> {
  const exact = range === undefined ? undefined : resolveRange(range, size)
  try {
    return await download(blob, stallMs, exact, etag)
  } catch (error) {
    if (error instanceof DriverError && error.code === 'precondition_failed') return 'replaced'
    throw error
  }
}

type FirstRange = Extract<ReadRange, { first: number }>

async function download(
  blob: BlobClient,
  stallMs: number,
  range: FirstRange | undefined,
  etag: string | undefined,
): Promise<ReadResult | null> {
  const count = range?.last === undefined ? undefined : range.last - range.first + 1
  const conditions = etag === undefined ? {} : matching(etag)
  try {
    return resultOf(await blob.download(range?.first ?? 0, count, { conditions }), range, stallMs)
  } catch (error) {
    return await explain(blob, asDriverError(error), etag)
  }
}

function resultOf(
  answer: BlobDownloadResponseParsed,
  range: FirstRange | undefined,
  stallMs: number,
): ReadResult {
  const source = answer.readableStreamBody
  if (!(source instanceof Readable)) throw new DriverError('backend', 'the storage service sent no body')
  try {
    const sent = parseContentRange(answer.contentRange)
    const info = infoOf(answer, sent?.size ?? answer.contentLength)
    const wanted = range === undefined ? null : resolveRange(range, info.size)
    checkSent(wanted ?? { first: 0, last: info.size - 1 }, sent ?? { first: 0, last: info.size - 1 })
    const length = answer.contentLength ?? 0
    const body = new GuardedBody(source, { length, stallMs, toError: asDriverError })
    return { info, range: wanted, body }
  } catch (error) {
    source.destroy()
    throw error
  }
}

function checkSent(wanted: { first: number; last: number }, sent: { first: number; last: number }): void {
  if (sent.first === wanted.first && sent.last === wanted.last) return
  throw new DriverError('backend', 'the storage service sent other bytes than those asked for')
}

function parseContentRange(text: string | undefined) {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(text ?? '') ?? []
  return size === undefined ? null : { first: Number(first), last: Number(last), size: Number(size) }
}

/** A refusal does not say what is there instead. @returns null where nothing is */
async function explain(blob: BlobClient, error: DriverError, etag: string | undefined): Promise<null> {
  if (error.code === 'not_found') return null
  if (error.code !== 'precondition_failed' && error.code !== 'range_not_satisfiable') throw error
  if (error.size !== undefined) throw error
  const current = await statBlob(blob)
  if (current === null) return null
  if (etag !== undefined) checkCondition({ ifMatch: etag }, current.etag)
  throw new DriverError(error.code, error.message, { cause: error, etag: current.etag, size: current.size })
}
