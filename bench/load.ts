import { request } from 'node:http'
import autocannon from 'autocannon'

/** What one run of a load came to. */
export interface LoadResult {
  requestsPerSecond: number
  /** 99th percentile, in milliseconds. */
  p99Ms: number
}

export interface StoreLoad {
  url: string
  /** Path of the n-th request. */
  path: (n: number) => string
  /** Headers of the n-th request. */
  headers: (n: number) => Record<string, string>
  body: Buffer
  connections: number
  seconds: number
}

/** Small stores over keep-alive connections. Any answer but 202 makes the run worthless, so it throws. */
export async function loadStores(load: StoreLoad): Promise<LoadResult> {
  let n = 0
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method: 'POST',
        body: load.body,
        setupRequest(req) {
          const current = n++
          return { ...req, path: load.path(current), headers: { ...req.headers, ...load.headers(current) } }
        },
      },
    ],
  })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${load.url}: ${result.non2xx} answers other than 2xx, ${result.errors} errors`)
  }
  return { requestsPerSecond: result['2xx'] / result.duration, p99Ms: result.latency.p99 }
}

/** One large upload from memory, whose bytes are made once. @returns MB (1,000,000 bytes) a second */
export async function upload(
  url: string,
  headers: Record<string, string>,
  chunk: Buffer,
  chunks: number,
): Promise<number> {
  const began = performance.now()
  await new Promise<void>((resolve, reject) => {
    const req = request(
      url,
      { method: 'POST', headers: { ...headers, 'Content-Length': chunk.length * chunks } },
      (res) => {
        res.resume()
        if (res.statusCode === 202) res.once('end', resolve)
        else reject(new Error(`${url}: ${res.statusCode}`))
      },
    )
    req.once('error', reject)
    let sent = 0
    const send = () => {
      while (sent < chunks) {
        sent++
        if (!req.write(chunk)) {
          req.once('drain', send)
          return
        }
      }
      req.end()
    }
    send()
  })
  return (chunk.length * chunks) / 1000 / (performance.now() - began)
}
