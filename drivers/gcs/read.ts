import type { IncomingMessage } from 'node:http'
import type { ObjectInfo, ReadOptions, ReadRange, ReadResult } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { GuardedBody } from '../guarded-body.ts'
import { resolveRange } from '../range.ts'
import type { Api } from './api.ts'
import { asDriverError, hasStatus } from './errors.ts'
import { canHold, infoOfHead, isGeneration } from './object-info.ts'
import { statObject } from './stat.ts'

/** How often a read begins anew because the object changed between two calls. */
const maxRounds = 100

/**
 * One request, whose answer tells of the version that its bytes are of; a second one only where its head does not
 * say it all. The storage goes on with a version that it has begun, whatever happens to the name.
 */
export async function readObject(api: Api, name: string, options: ReadOptions): Promise<ReadResult | null> {
  if (!canHold(name)) return null
  for (let round = 0; round < maxRounds; round++) {
    const result = await tryRead(api, name, options)
    if (result !== 'changed') return result
  }
  throw new DriverError('busy', 'the object changes too often to be read')
}

type Outcome = ReadResult | null | 'changed'

async function tryRead(api: Api, name: string, options: ReadOptions): Promise<Outcome> {
  const { range, ifMatch } = options
  if (ifMatch !== undefined && !isGeneration(ifMatch)) return await explain(api, name, options)
  const query = { alt: 'media', ifGenerationMatch: ifMatch }
  try {
    const res = await api.retry(() =>
      api.open({ method: 'GET', path: api.path(name), query, headers: headersOf(range), isStreamed: true }),
    )
    return await resultOf(api, name, res, range)
  } catch (error) {
    if (hasStatus(error, 404)) return null
    if (hasStatus(error, 412) || hasStatus(error, 416)) return await explain(api, name, options)
    throw error
  }
}

/** Why the storage refused: by what it holds now. Where that is no reason, it was something else then. */
async function explain(api: Api, name: string, { range, ifMatch }: ReadOptions): Promise<Outcome> {
  const info = await statObject(api, name)
  if (info === null) return null
  if (ifMatch !== undefined && ifMatch !== info.etag) {
    throw new DriverError('precondition_failed', 'another version is stored now', { etag: info.etag })
  }
  if (range !== undefined) resolveRange(range, info.size)
  return 'changed'
}

/** `gzip` is said to be taken so that an object that another program stored compressed comes as it is. */
function headersOf(range: ReadRange | undefined): Record<string, string> {
  const headers = { 'Accept-Encoding': 'gzip' }
  if (range === undefined) return headers
  const wanted = 'suffix' in range ? `-${range.suffix}` : `${range.first}-${range.last ?? ''}`
  return { ...headers, Range: `bytes=${wanted}` }
}

async function resultOf(
  api: Api,
  name: string,
  res: IncomingMessage,
  wanted: ReadRange | undefined,
): Promise<Outcome> {
  try {
    const info = infoOfHead(res.headers) ?? (await statVersion(api, name, res))
    if (info === null || res.destroyed) {
      res.destroy()
      return 'changed'
    }
    const range = wanted === undefined ? null : resolveRange(wanted, info.size)
    const length = range === null ? info.size : range.last - range.first + 1
    checkLength(res, range === null ? 200 : 206, length)
    const body = new GuardedBody(res, { length, stallMs: api.timeoutMs, toError: asDriverError })
    return { info, range, body }
  } catch (error) {
    res.destroy()
    throw error
  }
}

async function statVersion(api: Api, name: string, res: IncomingMessage): Promise<ObjectInfo | null> {
  const generation = res.headers['x-goog-generation']
  if (typeof generation !== 'string') throw new DriverError('backend', 'the storage names no generation')
  return await statObject(api, name, generation)
}

/** A storage that sends other bytes than were asked for must not pass for one that sends those. */
function checkLength({ statusCode, headers }: IncomingMessage, status: number, length: number): void {
  const announced = headers['content-length']
  if (statusCode === status && (announced === undefined || announced === String(length))) return
  throw new DriverError('backend', 'the storage sends other bytes than it was asked for')
}
