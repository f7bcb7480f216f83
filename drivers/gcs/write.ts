import { createHash, randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ignoreLateErrors } from '../body.ts'
import { BodyParts } from '../body-parts.ts'
import { checkCondition } from '../condition.ts'
import type { Condition, ObjectInfo, WriteOptions } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Api, Query } from './api.ts'
import { asDriverError, hasStatus, unclear } from './errors.ts'
import { canHold, infoOf, isAscii, objectFields } from './object-info.ts'
import { startUpload } from './resumable.ts'
import { describe, matching, preconditionFailed, statObject, writeIdMember } from './stat.ts'

export interface Write {
  readonly name: string
  readonly contentType: string
  readonly cacheControl: string | undefined
  /** The condition, as a query. */
  readonly query: Query
}

/**
 * What fits into one part goes out in one request, anything longer as a resumable upload, part by part: one part
 * is in memory at a time. Nothing is committed before the body has ended cleanly, and an upload that fails is
 * cancelled.
 */
export async function writeObject(
  api: Api,
  name: string,
  body: Readable,
  options: WriteOptions & { partBytes: number },
): Promise<ObjectInfo> {
  ignoreLateErrors(body)
  const parts = new BodyParts(body, options.size)
  try {
    const write = await prepare(api, name, options)
    const first = await parts.take(options.partBytes)
    // The head of a part of a request is no place for letters that are not ASCII.
    if (first.last && isAscii(write.contentType)) return await insert(api, write, first.bytes)
    return await upload(api, write, first, parts, options.partBytes)
  } catch (error) {
    body.destroy()
    throw parts.isFailure(error) ? error : asDriverError(error)
  }
}

async function prepare(api: Api, name: string, options: WriteOptions): Promise<Write> {
  const { contentType, cacheControl, condition } = options
  if (!canHold(name)) {
    throw new DriverError('invalid_key', 'the storage holds no names of more than 1,024 bytes')
  }
  return { name, contentType, cacheControl, query: await queryOf(api, name, condition) }
}

async function queryOf(api: Api, name: string, condition: Condition | undefined): Promise<Query> {
  if (condition === undefined) return {}
  if ('ifMatch' in condition) return await matching(api, name, condition.ifMatch)
  return { ifGenerationMatch: '0' }
}

/**
 * One `multipart` request. When an answer is lost, the next try of a conditional write meets its own first one: that
 * is told by an id that each write leaves in the object's metadata.
 */
async function insert(api: Api, write: Write, bytes: Buffer): Promise<ObjectInfo> {
  const writeId = write.query.ifGenerationMatch === undefined ? null : randomBytes(16).toString('hex')
  const { headers, body } = multipartBody(write, bytes, writeId)
  const query = { ...write.query, uploadType: 'multipart', name: write.name, fields: objectFields }
  let mayBeDone = false
  try {
    const { value } = await api.retry((tries) => {
      mayBeDone = tries.mayBeDone
      return api.call({ method: 'POST', path: api.uploadPath, query, headers, body })
    })
    return infoOf(value)
  } catch (error) {
    if (!hasStatus(error, 412)) throw error
    if (!mayBeDone) throw await preconditionFailed(api, write.name)
    const now = await describe(api, write.name)
    if (now !== null && now.writeId === writeId) return now.info
    // Either somebody else was first, or this write was, and somebody else after it.
    throw unclear()
  }
}

function multipartBody(
  write: Write,
  bytes: Buffer,
  writeId: string | null,
): { headers: Record<string, string>; body: Uint8Array[] } {
  const boundary = randomBytes(24).toString('hex')
  const described = {
    ...describedBy(write),
    md5Hash: createHash('md5').update(bytes).digest('base64'),
    ...(writeId === null ? {} : { metadata: { [writeIdMember]: writeId } }),
  }
  const head =
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(described)}` +
    `\r\n--${boundary}\r\nContent-Type: ${write.contentType}\r\n\r\n`
  return {
    headers: { 'Content-Type': `multipart/related; boundary=${boundary}` },
    body: [Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)],
  }
}

function describedBy({ contentType, cacheControl }: Write): Record<string, string> {
  return { contentType, ...(cacheControl === undefined ? {} : { cacheControl }) }
}

/** Spares the client an upload in many parts that would be refused at its end. */
async function checkEarly(api: Api, { name, query }: Write): Promise<void> {
  const wanted = query.ifGenerationMatch
  if (wanted === undefined) return
  const info = await statObject(api, name)
  checkCondition(wanted === '0' ? { ifNoneMatch: '*' } : { ifMatch: wanted }, info?.etag ?? null)
}

async function upload(
  api: Api,
  write: Write,
  first: { bytes: Buffer; last: boolean },
  parts: BodyParts,
  partBytes: number,
): Promise<ObjectInfo> {
  await checkEarly(api, write)
  try {
    const session = await startUpload(api, write.name, describedBy(write), write.query)
    try {
      let part = first
      while (!part.last) {
        await session.send(part.bytes)
        part = await parts.take(partBytes)
      }
      return await session.finish(part.bytes)
    } catch (error) {
      await session.cancel()
      throw error
    }
  } catch (error) {
    if (hasStatus(error, 412)) throw await preconditionFailed(api, write.name)
    throw error
  }
}
