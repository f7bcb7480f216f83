import type { IncomingHttpHeaders } from 'node:http'
import type { Condition, Driver } from '../drivers/driver.ts'
import type { Key } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { quoteEtag, unquoteEtag } from '../http/etag.ts'

/**
 * What a request asks to hold before it changes something (RFC 9110 13.1.1 and 13.1.2, narrowed by PROTOCOL 1.3):
 * one of several etags, no file at all, or nothing.
 */
export type Precondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'one-of'; readonly etags: readonly string[] }

/** More etags than this in one header are a mistake or an attack. */
const maxEtags = 16

/**
 * Reads If-Match and If-None-Match. Etags are taken with and without quotes; a weak one
 * equals none, since If-Match compares strongly.
 * @throws {WireError} `precondition_failed` for both headers at once, or an If-None-Match other than `*`
 */
export function readPrecondition(headers: IncomingHttpHeaders): Precondition {
  const ifMatch = headers['if-match']?.trim()
  const ifNoneMatch = headers['if-none-match']?.trim()
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw unmet('If-Match and If-None-Match exclude each other; send one of them')
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*') throw unmet('If-None-Match must be "*" here: create only where nothing is')
    return { kind: 'absent' }
  }
  if (ifMatch === undefined || ifMatch === '*') return { kind: 'none' }
  return { kind: 'one-of', etags: readEtags(ifMatch) }
}

/**
 * The condition that the driver holds the request to. Where several etags would do, the one that is there now is
 * asked for, so that the decision stays with the driver's atomic commit.
 * @throws {WireError} `precondition_failed` where none of several etags is there
 */
export async function driverCondition(
  precondition: Precondition,
  driver: Pick<Driver, 'stat'>,
  key: Key,
): Promise<Condition | undefined> {
  if (precondition.kind === 'none') return undefined
  if (precondition.kind === 'absent') return { ifNoneMatch: '*' }
  const [only = '', ...others] = precondition.etags
  if (others.length === 0) return { ifMatch: only }
  const current = await driver.stat(key)
  if (current === null || !precondition.etags.includes(current.etag)) {
    throw unmet('none of the etags of If-Match is the one of the file', current?.etag)
  }
  return { ifMatch: current.etag }
}

/** 412, with the etag that is there where it is known. */
export function unmet(message: string, etag?: string): WireError {
  return new WireError(
    'precondition_failed',
    message,
    etag === undefined ? {} : { details: { etag: quoteEtag(etag) } },
  )
}

function readEtags(header: string): string[] {
  const etags = header.split(',').map((etag) => unquoteEtag(etag.trim()))
  if (etags.length > maxEtags) throw unmet(`If-Match names more than ${maxEtags} etags`)
  return etags
}
