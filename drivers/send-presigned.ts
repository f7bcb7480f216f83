import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { PresignedUpload } from './driver.ts'

/** A request as a client would send it, changes of its own included. */
export interface PresignedRequest {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface PresignedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

const timeoutMs = 20_000
/** Answers to what is sent here are small; anything longer is none of them. */
const maxAnswerBytes = 4 * 1024 * 1024

/**
 * Sends one request over a connection of its own, exactly as it is: for trying out what a storage holds a presigned
 * request to. Rejects with the error of the network where no answer comes.
 */
export function sendPresigned({
  method = 'GET',
  url,
  headers = {},
  body,
}: PresignedRequest): Promise<PresignedAnswer> {
  const { protocol, hostname, port, pathname, search } = new URL(url)
  const open = protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const req = open({
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: `${pathname}${search}`,
      method,
      headers,
      agent: false,
      timeout: timeoutMs,
    })
    req.on('timeout', () => req.destroy(Object.assign(new Error('no answer came'), { code: 'ETIMEDOUT' })))
    req.on('error', reject)
    req.once('response', (res) => {
      const chunks: Buffer[] = []
      let bytes = 0
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxAnswerBytes) res.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      res.once('error', reject)
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      )
    })
    req.end(body)
  })
}

/** The request of an upload, its headers over those that it was presigned with; `undefined` leaves one out. */
export function uploadRequest(
  { method, url, headers }: PresignedUpload,
  body: Uint8Array,
  changes: Readonly<Record<string, string | undefined>> = {},
): PresignedRequest {
  const changed = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) changed.delete(name.toLowerCase())
    else changed.set(name.toLowerCase(), value)
  }
  return { method, url, headers: Object.fromEntries(changed), body }
}
