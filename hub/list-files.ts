import type { Request, Response } from 'express'
import type { ListEntry, ObjectInfo } from '../drivers/driver.ts'
import { KeyError, parsePrefix } from '../drivers/key.ts'
import { quoteEtag } from '../http/etag.ts'
import { sendJson } from '../http/send-json.ts'
import { listableNames, narrowReaches } from './auth/authorize.ts'
import type { Hub } from './hub.ts'
import { invalidMember, jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { listWithin } from './listing.ts'
import { bucketTarget } from './target.ts'

/** What a client asks for. */
interface ListRequest {
  page: string | null
  stat: boolean
  prefix: string
  limit: number
}

/** What a client gets for one file when it asks for `stat`. */
interface FileStat {
  name: string
  /** Seconds since 1970, as Gaia's hub gives them. */
  lastModifiedDate: number
  /** Bytes. */
  contentLength: number
  etag: string
  contentType: string
}

/** The most entries that a client may ask for on a page. */
const maxLimit = 1000
/** The longest page name: a driver's cursor beside a path. */
const maxPageLength = 8192

/**
 * `POST /list-files/<address>`: one page of names in key order, of those that the credential may see. A page that is
 * emptied by that holds one `null` where more pages follow, because Gaia's clients stop at an empty one.
 */
export async function listFiles(hub: Hub, req: Request, res: Response): Promise<void> {
  const address = bucketTarget(req, res)
  const listable = await judged(hub.instruments, async () =>
    listableNames(await hub.authenticator.authenticate(req.headers, address)),
  )
  const { prefix, ...wanted } = readRequest(jsonBody(req), hub.pageSize)

  const page = await listWithin(hub.driver, address, narrowReaches(listable.reaches, prefix), {
    limit: wanted.limit,
    cursor: wanted.page,
    stat: wanted.stat,
  })
  const entries = page.entries
    .map((entry) => ({ ...entry, name: entry.key.slice(address.length + 1) }))
    .filter(({ name }) => !listable.isHidden(name))
    .map((entry) => (wanted.stat ? fileStat(entry) : entry.name))
  const isEmptied = entries.length === 0 && page.cursor !== null
  sendJson(res, 202, { entries: isEmptied ? [null] : entries, page: page.cursor })
}

function readRequest(body: Readonly<Record<string, unknown>>, pageSize: number): ListRequest {
  const { page = null, stat = false, prefix = '', limit = pageSize } = body
  if (page !== null && (typeof page !== 'string' || page === '' || page.length > maxPageLength)) {
    throw invalidMember('page', 'null or the "page" of a former answer')
  }
  if (typeof stat !== 'boolean' && stat !== null) throw invalidMember('stat', 'true or false')
  return {
    page,
    stat: stat === true,
    prefix: readPrefix(prefix ?? ''),
    limit: readLimit(limit ?? pageSize, pageSize),
  }
}

function readPrefix(prefix: unknown): string {
  if (typeof prefix !== 'string') throw invalidMember('prefix', 'the beginning of a path')
  try {
    return parsePrefix(prefix)
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    throw invalidMember('prefix', `the beginning of a path: ${error.message}`)
  }
}

function readLimit(limit: unknown, pageSize: number): number {
  if (limit === pageSize) return pageSize
  if (!Number.isInteger(limit) || Number(limit) < 1 || Number(limit) > maxLimit) {
    throw invalidMember('limit', `a whole number from 1 to ${maxLimit}`)
  }
  return Number(limit)
}

function fileStat({ name, info }: ListEntry & { name: string }): FileStat {
  const { lastModifiedMs, size, etag, contentType } = info as ObjectInfo
  return {
    name,
    lastModifiedDate: Math.floor(lastModifiedMs / 1000),
    contentLength: size,
    etag: quoteEtag(etag),
    contentType,
  }
}
