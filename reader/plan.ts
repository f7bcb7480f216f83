import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectInfo } from '../drivers/driver.ts'
import { checkConditions, rangeStillHolds } from './conditional.ts'
import { type ByteRange, parseRange } from './range.ts'

/** How a request for a file that is there is answered. */
export type Plan =
  | { readonly status: 200 | 304 | 412 | 416 }
  | { readonly status: 206; readonly range: ByteRange }

export interface FileRequest {
  method: string
  headers: IncomingHttpHeaders
}

const conditionalHeaders = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const

/** Whether the answer is the whole file, whatever version is there. */
export function wantsWhole({ method, headers }: FileRequest): boolean {
  return (
    method === 'GET' &&
    headers.range === undefined &&
    conditionalHeaders.every((name) => headers[name] === undefined)
  )
}

/** Pure: what to answer for this version. */
export function planAnswer({ method, headers }: FileRequest, info: ObjectInfo): Plan {
  const verdict = checkConditions(headers, info)
  if (verdict === 'not_modified') return { status: 304 }
  if (verdict === 'precondition_failed') return { status: 412 }
  // RFC 9110 section 14.2: ranges are defined for GET alone.
  if (method !== 'GET' || !rangeStillHolds(headers['if-range']?.toString(), info)) return { status: 200 }
  const range = parseRange(headers.range, info.size)
  if (range === null) return { status: 200 }
  return range === 'unsatisfiable' ? { status: 416 } : { status: 206, range }
}
