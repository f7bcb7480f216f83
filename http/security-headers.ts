import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { RequestHandler } from 'express'
import helmet, { contentSecurityPolicy, type HelmetOptions } from 'helmet'

export interface SecurityHeadersOptions {
  /**
   * Whether to send `Strict-Transport-Security`. Off unless told: over plain HTTP browsers ignore it (RFC 6797
   * section 8.1), and where a proxy ends TLS it is the proxy that knows. On only where the public name is served
   * by HTTPS alone, for good.
   */
  hsts?: boolean
}

/**
 * The settings for a server that hands what strangers stored to pages of every origin.
 * - `sandbox` and `nosniff` (PROTOCOL 1.8): stored HTML runs in an origin of its own, without scripts;
 * - `cross-origin`: images and media may be embedded by pages that isolate themselves;
 * - no `X-Frame-Options`: a stored PDF may be framed, and there is no page here worth clicking unawares.
 */
function settings(hsts: boolean): HelmetOptions {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: contentSecurityPolicy.dangerouslyDisableDefaultSrc, sandbox: [] },
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    referrerPolicy: { policy: 'no-referrer' },
    // For a year. What else lies below the host name is not ours to speak for.
    strictTransportSecurity: hsts && { includeSubDomains: false },
    xDownloadOptions: false,
    xFrameOptions: false,
    xXssProtection: false,
  }
}

/** The headers by name, as helmet writes them. */
export function securityHeaderSet({
  hsts = false,
}: SecurityHeadersOptions = {}): ReadonlyMap<string, string> {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  helmet(settings(hsts))(req, res, (error?: unknown) => {
    if (error !== undefined) throw error
  })
  return new Map(res.getHeaderNames().map((name) => [name, String(res.getHeader(name))]))
}

/** Sets the same headers on every answer; helmet runs once, at the start, since nothing in them varies. */
export function securityHeaders(options: SecurityHeadersOptions = {}): RequestHandler {
  const headers = new Map(securityHeaderSet(options))
  return (_req, res, next) => {
    res.removeHeader('X-Powered-By')
    res.setHeaders(headers)
    next()
  }
}
