import { readFile } from 'node:fs/promises'
import type { RequestHandler, Response } from 'express'
import { rawPath } from '../raw-path.ts'
import { nameRoute } from '../request-context.ts'
import { jsonType } from '../send-json.ts'

/** The script of the page, a copy of `openapi-explorer` that the build puts beside this file. */
const explorer = new URL('explorer.js', import.meta.url)

/**
 * The page may do what it is for, on this host alone: run the one script, fetch the description, and try requests.
 * Files that strangers stored stay under the `sandbox` that every other answer has.
 */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface Page {
  route: string
  type: string
  content: string | (() => Promise<Buffer>)
  policy?: string
}

/** `GET /openapi.json`, and `GET /docs`, the same as a page that needs nothing from any other host. */
export function apiDocs(document: Record<string, unknown>): RequestHandler {
  const html = 'text/html; charset=utf-8'
  const { title } = document.info as { title: string }
  const page: Page = { route: 'docs', type: html, content: pageOf(title), policy: pagePolicy }
  let script: Promise<Buffer> | null = null
  const loadScript = () => {
    script ??= readFile(explorer)
    return script
  }
  const pages = new Map<string, Page>([
    ['/openapi.json', { route: 'openapi', type: jsonType, content: JSON.stringify(document) }],
    ['/docs', page],
    ['/docs/', page],
    ['/docs.js', { route: 'docs', type: 'text/javascript; charset=utf-8', content: loadScript }],
  ])
  // One look-up instead of a router: every request for a file comes by.
  return async (req, res, next) => {
    const found = pages.get(rawPath(req.url))
    if (found === undefined || (req.method !== 'GET' && req.method !== 'HEAD')) next()
    else await send(res, found)
  }
}

async function send(res: Response, { route, type, content, policy }: Page): Promise<void> {
  nameRoute(res, route)
  const bytes = typeof content === 'string' ? content : await content()
  if (policy !== undefined) res.setHeader('Content-Security-Policy', policy)
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', Buffer.byteLength(bytes))
  res.setHeader('Cache-Control', 'no-cache')
  res.end(bytes)
}

function pageOf(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0 }
openapi-explorer { height: 100vh }
</style>
<script type="module" src="/docs.js"></script>
</head>
<body>
<openapi-explorer spec-url="/openapi.json"></openapi-explorer>
</body>
</html>
`
}
