import type { RequestHandler } from 'express'

export interface CorsOptions {
  /** Every method that the server answers, in the order in which they are told. */
  methods: readonly string[]
  /** Headers of an answer that a script of another origin may read. */
  exposedHeaders: readonly string[]
}

/**
 * Headers that a script of any origin may send. By name: `*` does not stand for `Authorization` (Fetch
 * standard, "CORS-preflight fetch"). The first five are PROTOCOL 1.2's, `ucans` is part 2's; the last three let
 * browsers read ranges and ask conditionally.
 */
export const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'x-hiro-product',
  'ucans',
  'Range',
  'If-Range',
  'If-Modified-Since',
] as const

/** PROTOCOL 1.2: how long a browser may remember a preflight. */
const maxAgeSeconds = 86_400

/** Any origin; credentials are never asked for, so that `*` serves every answer and no cache needs a `Vary`. */
export const allowedOrigin = '*'

/**
 * Stands before everything that may answer, so that refusals carry CORS headers too (PROTOCOL 1.2). Answers
 * every `OPTIONS` by itself: 204, empty.
 */
export function cors({ methods, exposedHeaders }: CorsOptions): RequestHandler {
  const exposed = exposedHeaders.join(',')
  const preflight = new Map([
    ['Allow', methods.join(', ')],
    ['Access-Control-Allow-Methods', methods.join(',')],
    ['Access-Control-Allow-Headers', allowedHeaders.join(',')],
    ['Access-Control-Max-Age', String(maxAgeSeconds)],
  ])
  return (req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', allowedOrigin)
    if (exposed !== '') res.setHeader('Access-Control-Expose-Headers', exposed)
    if (req.method !== 'OPTIONS') {
      next()
      return
    }
    res.setHeaders(preflight).writeHead(204).end()
  }
}
