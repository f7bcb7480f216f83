import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { signV1Token, stacksSigner } from '../../client/index.ts'

const alicesSigner = stacksSigner('a11ce'.padStart(64, '0'))
export const alice = alicesSigner.address

/** An Authorization header of alice's for the hub at a URL that ends in a slash. */
export async function authorizationAt(hubUrl: string): Promise<string> {
  const info = (await (await fetch(`${hubUrl}hub_info`)).json()) as { challenge_text: string }
  return alicesAuthorization(hubUrl, info.challenge_text)
}

/** The same where the challenge is known. */
export async function alicesAuthorization(hubUrl: string, challengeText: string): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000)
  return `bearer ${await signV1Token(alicesSigner, { challengeText, hubUrl, issuedAt, lifetimeSeconds: 60 })}`
}

/** Stores a text at alice's address. */
export async function store(hubUrl: string, path: string, body: string): Promise<Response> {
  const headers = { authorization: await authorizationAt(hubUrl), 'content-type': 'text/plain' }
  return fetch(`${hubUrl}store/${alice}/${path}`, { method: 'POST', headers, body })
}

export interface Upload {
  write(text: string): void
  /** Sends the end of the body. */
  end(): void
  /** The status of the answer; rejects where the connection breaks. */
  status: Promise<number>
}

/** Begins an upload of so many bytes whose body comes bit by bit; resolves when the hub has begun to read it. */
export async function beginUpload(hubUrl: string, path: string, bytes: number): Promise<Upload> {
  const headers = {
    authorization: await authorizationAt(hubUrl),
    'content-length': String(bytes),
    // The hub says so when it reads the body, and not before.
    expect: '100-continue',
  }
  const request = httpRequest(`${hubUrl}store/${alice}/${path}`, { method: 'POST', headers })
  const status = new Promise<number>((resolve, reject) => {
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject)
  })
  request.flushHeaders()
  await Promise.race([once(request, 'continue'), status])
  return { write: (text) => void request.write(text), end: () => void request.end(), status }
}
