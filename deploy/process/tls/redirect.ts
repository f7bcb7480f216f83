import type { RequestListener } from 'node:http'
import { allowedOrigin } from '../../../http/cors.ts'

/** Routes of probes, which know a port and no certificate. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]+)?$/i

export interface RedirectOptions {
  /** Serves the probes. */
  app: RequestListener
  httpsPort: number
}

/**
 * Sends everybody on to HTTPS: 308, so that a store stays a store (RFC 9110 section 15.4.9). Without a `Host` that can
 * stand in a URL there is nowhere to send to, and the answer is 400.
 */
export function redirectToHttps({ app, httpsPort }: RedirectOptions): RequestListener {
  const port = httpsPort === 443 ? '' : `:${httpsPort}`
  return (req, res) => {
    if (probes.has(req.url ?? '')) return app(req, res)
    const host = hostHeader.exec(req.headers.host ?? '')?.[1]
    res.setHeader('Access-Control-Allow-Origin', allowedOrigin)
    res.setHeader('Content-Length', 0)
    if (host !== undefined && req.url?.startsWith('/')) {
      res.writeHead(308, { Location: `https://${host}${port}${req.url}` }).end()
    } else {
      res.writeHead(400, { Connection: 'close' }).end()
    }
  }
}
