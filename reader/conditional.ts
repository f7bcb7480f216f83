import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectInfo } from '../drivers/driver.ts'
import { parseHttpDate } from './http-date.ts'

export type Version = Pick<ObjectInfo, 'etag' | 'lastModifiedMs'>

/**
 * What the conditions of a `GET` or `HEAD` say of the version that is there, in the order of RFC 9110 section
 * 13.2.2.
 *
 * Express's `req.fresh` is not used: it answers a condition with the whole file where the request says
 * `Cache-Control: no-cache`, and that is what `fetch` adds to every condition that a script sets. An etag without
 * its quotes is taken too, since a client may have it from a store answer or a list (PROTOCOL 1.3).
 */
export function checkConditions(
  headers: IncomingHttpHeaders,
  version: Version,
): 'proceed' | 'not_modified' | 'precondition_failed' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined) {
    if (!matches(match, version.etag, 'strong')) return 'precondition_failed'
  } else if (changedSince(headers['if-unmodified-since'], version) === true) {
    return 'precondition_failed'
  }
  if (noneMatch !== undefined) return matches(noneMatch, version.etag, 'weak') ? 'not_modified' : 'proceed'
  return changedSince(headers['if-modified-since'], version) === false ? 'not_modified' : 'proceed'
}

/**
 * Whether a `Range` may be served: without `If-Range`, or where that names this version (RFC 9110 section 13.1.5:
 * by strong comparison, or by exactly the date of `Last-Modified`).
 */
export function rangeStillHolds(ifRange: string | undefined, version: Version): boolean {
  if (ifRange === undefined) return true
  const date = parseHttpDate(ifRange)
  if (date !== null) return date === seconds(version)
  return ifRange.trim() !== '*' && matches(ifRange, version.etag, 'strong')
}

/** Whether a list of etags, or `*`, names this one. */
function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true
  for (const [, weak, quoted, bare] of list.matchAll(/(W\/)?"([^"]*)"|([^\s,"]+)/g)) {
    if ((quoted ?? bare) === etag && (weak === undefined || comparison === 'weak')) return true
  }
  return false
}

/** `undefined` without a date that can be read: then the condition must be ignored. */
function changedSince(header: string | undefined, version: Version): boolean | undefined {
  const date = header === undefined ? null : parseHttpDate(header)
  return date === null ? undefined : seconds(version) > date
}

/** `Last-Modified` as clients see it. */
function seconds({ lastModifiedMs }: Version): number {
  return Math.floor(lastModifiedMs / 1000)
}
