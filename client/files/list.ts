import { BadAnswerError } from '../errors.ts'
import { checkPrefix } from '../path.ts'
import type { Transport } from '../transport/transport.ts'
import type { FileInfo } from './file.ts'
import type { CallOptions } from './files.ts'

export interface ListOptions extends CallOptions {
  /** The beginning of the paths to list, cut anywhere: `photos/`, `photos/2026-`. Everything by default. */
  prefix?: string
}

interface Page {
  readonly entries: readonly unknown[]
  readonly page: string | null
}

/** The paths of a bucket, in the order of their UTF-8 bytes. */
export async function* listPaths(transport: Transport, options: ListOptions = {}): AsyncGenerator<string> {
  for await (const entry of entries(transport, options, false)) {
    if (typeof entry === 'string' && entry.startsWith(options.prefix ?? '')) yield entry
  }
}

/** The same with what is known of each file. */
export async function* listFiles(transport: Transport, options: ListOptions = {}): AsyncGenerator<FileInfo> {
  for await (const entry of entries(transport, options, true)) {
    const info = infoOf(entry)
    if (info?.path.startsWith(options.prefix ?? '')) yield info
  }
}

async function* entries(transport: Transport, options: ListOptions, stat: boolean): AsyncGenerator<unknown> {
  const { prefix = '', signal } = options
  checkPrefix(prefix)
  const needs = [{ ability: 'gaia/list', path: prefix.slice(0, prefix.lastIndexOf('/') + 1) }]
  let page: string | null = null
  do {
    const body = { page, ...(stat ? { stat } : {}), ...(prefix === '' ? {} : { prefix }) }
    const answer: Page = readPage(await transport.requestJson('list-files', body, { needs, signal }))
    yield* answer.entries.filter((entry) => entry !== null)
    if (answer.page !== null && answer.page === page)
      throw new BadAnswerError('the hub gives one page again and again')
    page = answer.entries.length === 0 ? null : answer.page
  } while (page !== null)
}

function readPage(answer: Readonly<Record<string, unknown>>): Page {
  const { entries: found, page } = answer
  if (!Array.isArray(found)) throw new BadAnswerError('the hub gave no list')
  return { entries: found as unknown[], page: typeof page === 'string' && page !== '' ? page : null }
}

function infoOf(entry: unknown): FileInfo | null {
  const { name, etag, contentLength, contentType, lastModifiedDate } = entry as Record<string, unknown>
  if (typeof name !== 'string' || typeof etag !== 'string') return null
  return {
    path: name,
    etag,
    size: Number(contentLength),
    contentType: typeof contentType === 'string' ? contentType : 'application/octet-stream',
    modifiedMs: Number(lastModifiedDate) * 1000,
  }
}
