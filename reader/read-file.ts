import type { Request, RequestHandler, Response } from 'express'
import type { Driver, ObjectInfo, ReadResult } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import type { Key } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { quoteEtag } from '../http/etag.ts'
import { nameRoute } from '../http/request-context.ts'
import { parseTarget } from './parse-target.ts'
import { type Plan, planAnswer, wantsWhole } from './plan.ts'
import type { Redirect } from './redirect.ts'
import { sendBytes, setContentHeaders, setVersionHeaders } from './send-object.ts'

export interface ReadFileOptions {
  driver: Pick<Driver, 'stat' | 'read'>
  /** `Cache-Control` of every file. */
  cacheControl: string
  /** What stands before the address in a path, `/` at both ends. */
  prefix: string
  /** `null`: the reader sends every byte itself. */
  redirect: Redirect | null
}

/** The methods that the reader answers. */
export const readerMethods = ['GET', 'HEAD', 'OPTIONS'] as const

/** How often to begin anew when a file changes between looking at it and reading it. */
const maxAttempts = 5

/** `GET` and `HEAD <prefix><address>/<path>` (PROTOCOL 1.8). */
export function readFile(options: ReadFileOptions): RequestHandler {
  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') throw methodNotAllowed(res)
    const target = parseTarget(req.url, options.prefix)
    if (target === null) throw notFound()
    nameRoute(res, 'read', target.address)
    if (options.redirect === null && wantsWhole(req)) await sendWhole(options, target.key, res)
    else await sendPlanned(options, target.key, req, res)
  }
}

/** One call to the driver, for most requests. */
async function sendWhole(options: ReadFileOptions, key: Key, res: Response): Promise<void> {
  const found = await unlessInvalid(options.driver.read(key))
  if (found === null) throw notFound()
  await sendFound(options, found, { status: 200 }, res)
}

/** Looks at the version that is there, decides, and reads that version or begins anew. */
async function sendPlanned(options: ReadFileOptions, key: Key, req: Request, res: Response): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const info = await unlessInvalid(options.driver.stat(key))
    if (info === null) throw notFound()
    const plan = planAnswer(req, info)
    if (req.method === 'HEAD' || plan.status >= 300) return sendHead(options, info, plan, res)
    if (options.redirect?.serves(req.headers, info) === true) return options.redirect.send(res, key)
    const found = await readVersion(options.driver, key, info, plan)
    if (found !== null) return sendFound(options, found, plan, res)
  }
  throw new WireError('unavailable', 'the file changes faster than it can be read', { retryAfterSeconds: 1 })
}

/** An answer without content. */
function sendHead({ cacheControl }: ReadFileOptions, info: ObjectInfo, plan: Plan, res: Response): void {
  if (plan.status === 412) {
    const details = { etag: quoteEtag(info.etag) }
    throw new WireError('precondition_failed', 'the file is not the version that was asked for', { details })
  }
  if (plan.status === 416) {
    const details = { size: info.size }
    throw new WireError('range_not_satisfiable', 'the range lies outside of the file', { details })
  }
  setVersionHeaders(res, info, cacheControl)
  if (plan.status === 304) res.statusCode = 304
  else setContentHeaders(res, info, null)
  res.end()
}

async function sendFound({ cacheControl }: ReadFileOptions, found: ReadResult, plan: Plan, res: Response) {
  const { info, body } = found
  if (res.destroyed) {
    // The client went away while the driver was at work; the request log has it as aborted.
    body.on('error', () => undefined).destroy()
    return
  }
  const range = plan.status === 206 ? plan.range : null
  setVersionHeaders(res, info, cacheControl)
  setContentHeaders(res, info, range)
  await sendBytes(res, body, info, range)
}

/** `null` where that version is no longer there. */
async function readVersion(driver: Pick<Driver, 'read'>, key: Key, info: ObjectInfo, plan: Plan) {
  try {
    return await driver.read(key, {
      ifMatch: info.etag,
      ...(plan.status === 206 ? { range: plan.range } : {}),
    })
  } catch (error) {
    if (error instanceof DriverError && error.code === 'precondition_failed') return null
    throw error
  }
}

/** A name that this storage cannot hold is one that it does not hold: over every driver the same 404. */
async function unlessInvalid<T>(found: Promise<T | null>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if (error instanceof DriverError && error.code === 'invalid_key') return null
    throw error
  }
}

function notFound(): WireError {
  return new WireError('not_found', 'there is no such file')
}

function methodNotAllowed(res: Response): WireError {
  res.setHeader('Allow', readerMethods.join(', '))
  return new WireError('method_not_allowed', `the reader answers ${readerMethods.join(', ')}`)
}
