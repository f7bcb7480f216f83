import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { ObjectInfo, Presigner } from '../drivers/driver.ts'
import type { Key } from '../drivers/key.ts'

/**
 * Where clients are sent for the bytes of a file, after it was found to be there and to be what they asked for:
 * - `presigned`: to the storage, by a URL that lasts for two minutes;
 * - `public`: to `<baseUrl><address>/<path>`, where a public bucket or a cache in front of it answers.
 */
export type RedirectOptions = (
  | { readonly to: 'presigned'; readonly presigner: Presigner }
  | { readonly to: 'public'; readonly baseUrl: string }
) & {
  /** Bytes; smaller files are sent by the reader itself, in the one answer that the redirect would take. */
  readonly thresholdBytes: number
}

/** Sends clients elsewhere. */
export interface Redirect {
  /** Whether the storage answers a request for this version, once it may be answered, as the reader would. */
  serves(headers: IncomingHttpHeaders, info: ObjectInfo): boolean
  send(res: ServerResponse, key: Key): Promise<void>
}

/** Long enough for a slow client to begin; a download goes on after it. */
const lifeSeconds = 120

/**
 * Conditions on a version. They are repeated where a redirect leads, and there the storage's own etags count, which
 * are not those of the reader everywhere.
 */
const versionHeaders = ['if-match', 'if-unmodified-since', 'if-range'] as const

/** Types that a header of any storage carries unchanged. */
const plainType = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/

/** @param cacheControl of every file */
export function redirectBy(options: RedirectOptions, cacheControl: string): Redirect {
  const caching = options.to === 'public' ? cacheControl : cachingWithin(cacheControl, lifeSeconds / 2)
  return {
    serves: (headers, { size, contentType }) =>
      size >= options.thresholdBytes &&
      plainType.test(contentType) &&
      versionHeaders.every((name) => headers[name] === undefined),
    async send(res, key) {
      const location = await locationOf(options, key, cacheControl)
      res.statusCode = 302
      res.setHeader('Location', location)
      res.setHeader('Cache-Control', caching)
      res.setHeader('Content-Length', 0)
      res.end()
    },
  }
}

/**
 * A presigned answer has none of the reader's headers that keep what strangers stored from running in a browser, and
 * its origin is the storage's. As an attachment it is never shown as a page there; scripts and media elements that
 * load it are not hindered.
 */
async function locationOf(options: RedirectOptions, key: Key, cacheControl: string): Promise<string> {
  if (options.to === 'presigned') {
    const pinned = { contentDisposition: 'attachment', cacheControl }
    return await options.presigner.readUrl(key, { expiresInSeconds: lifeSeconds, ...pinned })
  }
  const base = options.baseUrl.endsWith('/') ? options.baseUrl : `${options.baseUrl}/`
  return base + key.split('/').map(encodeURIComponent).join('/')
}

/** How long a redirect may be kept, by how long the file itself may: never so long that its URL has expired. */
export function cachingWithin(cacheControl: string, mostSeconds: number): string {
  const directives = cacheControl.toLowerCase().split(/\s*,\s*/)
  const maxAge = directives.find((directive) => /^max-age=\d+$/.test(directive))?.slice('max-age='.length)
  if (maxAge === undefined || directives.some((directive) => /^no-(store|cache)\b/.test(directive))) {
    return 'no-cache'
  }
  const scope = directives.includes('private') ? 'private' : 'public'
  return `${scope}, max-age=${Math.min(Number(maxAge), mostSeconds)}`
}
