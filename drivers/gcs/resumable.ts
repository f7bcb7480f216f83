import { createHash } from 'node:crypto'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { type Api, type ApiAnswer, jsonBody, type Query } from './api.ts'
import { hasStatus } from './errors.ts'
import { infoOf, objectFields } from './object-info.ts'

/** Every part but the last one has a multiple of this many bytes ("Resumable uploads" of Cloud Storage). */
export const partUnitBytes = 256 * 1024

/** How often the storage may keep nothing of a part before it counts as failed. */
const maxIdleRounds = 3

/** Begins an upload; its conditions are looked at when it is finished. */
export async function startUpload(
  api: Api,
  name: string,
  described: Record<string, string>,
  condition: Query,
): Promise<ResumableUpload> {
  const query = { ...condition, uploadType: 'resumable', name, fields: objectFields }
  const { headers } = await api.retry(() =>
    api.call({ method: 'POST', path: api.uploadPath, query, ...jsonBody(described) }),
  )
  const address = headers.location ?? ''
  if (!/^https?:/.test(address) || !URL.canParse(address)) {
    throw new DriverError('backend', 'the storage names no place to upload to')
  }
  return new ResumableUpload(api, new URL(address))
}

/** What is known of an upload: the object that it became, or how many bytes the storage has kept. */
type Progress = { readonly done: ObjectInfo } | { readonly kept: number }

/**
 * An upload part by part. After a failure the storage is asked what it has, so that nothing is sent twice, and a
 * finished upload is known as such though the answer to its last part was lost.
 */
export class ResumableUpload {
  readonly #api: Api
  readonly #session: URL
  readonly #md5 = createHash('md5')
  /** Bytes before the part that is being sent. */
  #sent = 0

  constructor(api: Api, session: URL) {
    this.#api = api
    this.#session = session
  }

  /** @param bytes a multiple of {@link partUnitBytes} of them */
  async send(bytes: Buffer): Promise<void> {
    this.#md5.update(bytes)
    const progress = await this.#push(bytes, null)
    if ('done' in progress) throw new DriverError('backend', 'the storage ended an upload before its end')
    this.#sent += bytes.length
  }

  /** Sends the last part, which may be empty, and with it commits. */
  async finish(bytes: Buffer): Promise<ObjectInfo> {
    this.#md5.update(bytes)
    const total = this.#sent + bytes.length
    const progress = await this.#push(bytes, total)
    if ('done' in progress && progress.done.size === total) return progress.done
    throw new DriverError('backend', 'the storage did not take the whole upload')
  }

  /** Best effort: the upload has failed already, and the storage forgets it by itself after a week. */
  async cancel(): Promise<void> {
    await Promise.allSettled([
      this.#api.call({ method: 'DELETE', path: this.#session, accept: [404, 410, 499] }),
    ])
  }

  /** Sends what the storage has not kept of a part, until it has all of it. */
  async #push(bytes: Buffer, total: number | null): Promise<Progress> {
    const end = this.#sent + bytes.length
    const hash: Record<string, string> =
      total === null ? {} : { 'X-Goog-Hash': `md5=${this.#md5.digest('base64')}` }
    let kept = this.#sent
    for (let idle = 0; idle < maxIdleRounds; ) {
      const progress = await this.#api.retry(async ({ count }) => {
        const known = count === 1 ? { kept } : await this.#ask()
        if ('done' in known || (known.kept >= end && total === null)) return known
        return await this.#put(bytes.subarray(known.kept - this.#sent), known.kept, total, hash)
      })
      if ('done' in progress || (progress.kept === end && total === null)) return progress
      if (progress.kept <= kept) idle++
      kept = progress.kept
    }
    throw new DriverError('unavailable', 'the storage does not take what is sent to it')
  }

  async #put(
    bytes: Buffer,
    first: number,
    total: number | null,
    hash: Record<string, string>,
  ): Promise<Progress> {
    const range = bytes.length === 0 ? '*' : `${first}-${first + bytes.length - 1}`
    const headers = { ...hash, 'Content-Range': `bytes ${range}/${total ?? '*'}` }
    return await this.#progress(headers, [bytes])
  }

  async #ask(): Promise<Progress> {
    return await this.#progress({ 'Content-Range': 'bytes */*' }, [])
  }

  async #progress(headers: Record<string, string>, body: readonly Buffer[]): Promise<Progress> {
    try {
      const request = { method: 'PUT', path: this.#session, headers, body, accept: [308] } as const
      return this.#progressOf(await this.#api.call(request))
    } catch (error) {
      if (hasStatus(error, 404) || hasStatus(error, 410)) {
        throw new DriverError('backend', 'the storage forgot the upload', { cause: error })
      }
      throw error
    }
  }

  #progressOf(answer: ApiAnswer): Progress {
    if (answer.status !== 308) return { done: infoOf(answer.value) }
    const last = /^bytes=0-(\d{1,15})$/.exec(answer.headers.range ?? '')?.[1]
    const kept = last === undefined ? 0 : Number(last) + 1
    // What lies before this part is gone from memory.
    if (kept < this.#sent) throw new DriverError('backend', 'the storage lost a part of the upload')
    return { kept }
  }
}
