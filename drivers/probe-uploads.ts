import { setTimeout as sleep } from 'node:timers/promises'
import type { PresignedUpload, PresignUploadOptions } from './driver.ts'
import { DriverError } from './errors.ts'
import { type ProbeTarget, probeName } from './probe.ts'
import { type PresignedRequest, sendPresigned, uploadRequest } from './send-presigned.ts'
import { settled } from './settled.ts'

/** What a storage is asked to find out what it holds presigned uploads to. */
export interface UploadProbe extends Pick<ProbeTarget, 'write' | 'read' | 'delete'> {
  presign(name: string, options: PresignUploadOptions): Promise<PresignedUpload>
  /** The same as of ten minutes ago, and long expired; where the signer can sign for a time that is past. */
  presignExpired?(name: string, options: PresignUploadOptions): Promise<PresignedUpload>
  /**
   * Headers that would make of an upload something that nobody signed, each with what it would take to succeed.
   * @param name of an object that is there
   */
  harmful(name: string): Readonly<Record<string, string>>
}

const contentType = 'text/x-mandate-probe'
const expiresInSeconds = 60
const intended = Buffer.from('mandate start check: presigned')

/**
 * Whether a storage takes a presigned upload as it was signed, and refuses it with another size, type, key or
 * condition, with headers that were not signed, and after its time. Takes away again what it wrote.
 * @throws what the target throws where it cannot be used at all; `unavailable` where the storage does not answer, or has
 * no time to: then nothing is known of what it holds uploads to
 */
export async function holdsUploads(probe: UploadProbe): Promise<boolean> {
  const names = Array.from({ length: 5 }, probeName) as [string, string, string, string, string]
  const [changed, other, conditional, harmed, source] = names
  try {
    // Side by side, since a function that starts has its client waiting.
    const held = await settled([
      refusesChanges(probe, changed, other),
      holdsConditions(probe, conditional),
      refusesHarm(probe, harmed, source),
    ])
    return held.every(Boolean)
  } finally {
    // Best effort: what is left lies where no owner can have anything.
    await Promise.allSettled(names.map((name) => probe.delete(name)))
  }
}

async function refusesChanges(probe: UploadProbe, name: string, other: string): Promise<boolean> {
  const options = { expiresInSeconds, size: intended.length, contentType }
  const upload = await probe.presign(name, options)
  if (!(await isTaken(uploadRequest(upload, intended))) || !(await holds(probe, name, intended))) return false
  const longer = Buffer.from('x'.repeat(intended.length + 1))
  const shorter = Buffer.from('x'.repeat(intended.length - 1))
  const same = Buffer.from('x'.repeat(intended.length))
  const requests = [
    uploadRequest(upload, longer, { 'content-length': String(longer.length) }),
    uploadRequest(upload, shorter, { 'content-length': String(shorter.length) }),
    uploadRequest(upload, longer, { 'content-length': undefined, 'transfer-encoding': 'chunked' }),
    uploadRequest(upload, same, { 'content-type': 'text/html' }),
    uploadRequest({ ...upload, url: upload.url.replace(name, other) }, same),
    { ...uploadRequest(upload, same), method: 'DELETE' },
    ...(probe.presignExpired === undefined
      ? []
      : [uploadRequest(await probe.presignExpired(name, options), same)]),
  ]
  return (
    (await areRefused(requests)) && (await holds(probe, name, intended)) && (await holds(probe, other, null))
  )
}

/** Begins and ends with `name` holding what was intended. */
async function holdsConditions(probe: UploadProbe, name: string): Promise<boolean> {
  const stale = await probe.write(name, Buffer.from('mandate start check: former'))
  const current = await probe.write(name, intended)
  const body = Buffer.from('x'.repeat(intended.length))
  const options = { expiresInSeconds, size: body.length, contentType }
  const creating = await probe.presign(name, { ...options, condition: { ifNoneMatch: '*' } })
  const late = await probe.presign(name, { ...options, condition: { ifMatch: stale } })
  const inTime = await probe.presign(name, { ...options, condition: { ifMatch: current } })
  const without = (upload: PresignedUpload) => {
    const conditions = Object.keys(upload.headers).filter((header) =>
      /if-(none-)?(generation-)?match$/i.test(header),
    )
    return uploadRequest(upload, body, Object.fromEntries(conditions.map((header) => [header, undefined])))
  }
  const requests = [
    uploadRequest(creating, body),
    uploadRequest(late, body),
    without(creating),
    without(inTime),
  ]
  return (
    (await areRefused(requests)) &&
    (await holds(probe, name, intended)) &&
    (await isTaken(uploadRequest(inTime, body))) &&
    (await areRefused([uploadRequest(inTime, intended)])) &&
    (await holds(probe, name, body))
  )
}

async function refusesHarm(probe: UploadProbe, name: string, source: string): Promise<boolean> {
  await Promise.all([
    probe.write(name, intended),
    probe.write(source, Buffer.from('mandate start check: of another')),
  ])
  const upload = await probe.presign(name, { expiresInSeconds, size: 0, contentType })
  const requests = Object.entries(probe.harmful(source)).map(([header, value]) =>
    uploadRequest(upload, new Uint8Array(), { [header]: value }),
  )
  return (await areRefused(requests)) && (await holds(probe, name, intended))
}

async function holds(probe: UploadProbe, name: string, bytes: Buffer | null): Promise<boolean> {
  const read = await probe.read(name)
  return bytes === null ? read === null : read !== null && bytes.equals(read)
}

/** Whether it was; to be asked with {@link holds} behind it. */
async function isTaken(request: PresignedRequest): Promise<boolean> {
  try {
    const { status, isFirst } = await answerTo(request)
    // An upload under a condition may have been taken though its answer got lost: what is held then tells.
    return (status >= 200 && status < 300) || (status === 412 && !isFirst)
  } catch (cause) {
    throw unanswered(cause)
  }
}

/**
 * A connection that the storage ends each time, rather than take a body that it has refused, is a refusal; reads tell.
 */
async function areRefused(requests: readonly PresignedRequest[]): Promise<boolean> {
  const statuses = await settled(
    requests.map((request) =>
      answerTo(request).then(
        ({ status }) => status,
        (error: unknown) => {
          if (error instanceof BusyError) throw unanswered(error)
          return 400
        },
      ),
    ),
  )
  return statuses.every((status) => status >= 400)
}

function unanswered(cause: unknown): DriverError {
  return new DriverError('unavailable', 'the storage does not answer to a presigned request', { cause })
}

/** What a storage says that has no time, or something before it. It tells nothing of what it thinks of the request. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** How long to wait before a request is sent again that had no answer, or a passing one. */
const retryDelaysMs = [100, 400, 1_600]

class BusyError extends Error {}

interface Outcome {
  status: number
  /** Whether the request was sent once only. */
  isFirst: boolean
}

/** @throws {BusyError} where the answer stays a passing one; the network's error where none comes */
async function answerTo(request: PresignedRequest): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    const delayMs = retryDelaysMs[attempt]
    try {
      const { status } = await sendPresigned(request)
      if (!passing.has(status)) return { status, isFirst: attempt === 0 }
      if (delayMs === undefined) throw new BusyError(`it answers ${status}`)
    } catch (error) {
      if (delayMs === undefined) throw error
    }
    // By chance longer, so that a burst of those who start does not come again as one.
    await sleep(delayMs * (1 + Math.random()))
  }
}
