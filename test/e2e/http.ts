import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'

export interface JsonAnswer {
  status: number
  body: Record<string, unknown>
}

export interface StoreRequest {
  hubUrl: string
  /** `<address>/<path>`, encoded. */
  target: string
  headers: Record<string, string>
  body: Buffer
}

/** An upload of which the hub has all but the body. */
export interface HeldUpload {
  /** Sends the whole body. */
  release(): void
  answer: Promise<JsonAnswer>
}

const agent = new Agent({ keepAlive: true })

/** Begins an upload; resolves when the hub waits for its body, all that comes before being done. */
export async function holdUpload({ hubUrl, target, headers, body }: StoreRequest): Promise<HeldUpload> {
  const sent = request(`${hubUrl}/store/${target}`, {
    agent,
    method: 'POST',
    headers: { ...headers, 'content-length': body.length, expect: '100-continue' },
  })
  const answer = new Promise<JsonAnswer>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0
      json(response).then((told) => resolve({ status, body: told as JsonAnswer['body'] }), reject)
    })
  })
  const refused = answer.then(({ status }) => {
    throw new Error(`the hub answered ${status} before it had the body`)
  })
  sent.flushHeaders()
  await Promise.race([once(sent, 'continue'), refused])
  // Once the hub waits, an answer is no longer too early.
  refused.catch(() => undefined)
  return { release: () => void sent.end(body), answer }
}

/** Sends JSON; resolves with the JSON of the answer. */
export async function postJson(url: string, credential: string, body: unknown): Promise<JsonAnswer> {
  return post(url, { authorization: `Bearer ${credential}` }, JSON.stringify(body))
}

export async function post(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer,
): Promise<JsonAnswer> {
  const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) })
  return { status: response.status, body: (await response.json()) as JsonAnswer['body'] }
}

export interface ReadAnswer {
  status: number
  contentType: string | null
  contentLength: number
  /** As it stands, which is as hubs tell it in JSON; `null` where the header is no strong etag. */
  etag: string | null
  body: Buffer
}

/** What a reader serves. */
export async function readFrom(readerUrl: string, target: string): Promise<ReadAnswer> {
  const response = await fetch(`${readerUrl}/${target}`)
  const { status, headers } = response
  return {
    status,
    contentType: headers.get('content-type'),
    contentLength: Number(headers.get('content-length')),
    etag: /^"[^"]+"$/.exec(headers.get('etag') ?? '')?.[0] ?? null,
    body: Buffer.from(await response.arrayBuffer()),
  }
}
