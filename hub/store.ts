import type { Request, Response } from 'express'
import type { Condition, ObjectInfo } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { WireError } from '../http/errors.ts'
import { quoteEtag } from '../http/etag.ts'
import { sendJson } from '../http/send-json.ts'
import type { Authority } from './auth/authority.ts'
import { authorize, type Permit } from './auth/authorize.ts'
import { authorizeAgain } from './auth/authorize-again.ts'
import { refuseUncovered } from './auth/refusal.ts'
import { driverCondition, type Precondition, readPrecondition } from './condition.ts'
import { readContentType } from './content-type.ts'
import { asConflict, exactCondition, historyKey } from './history.ts'
import type { Hub } from './hub.ts'
import { judged } from './judged.ts'
import { publicUrl } from './public-url.ts'
import { type FileTarget, fileTarget } from './target.ts'
import { Upload } from './upload.ts'

/** One store that was found to be allowed. */
export interface Store {
  target: FileTarget
  authority: Authority
  permit: Permit
  contentType: string
  size: number | null
  precondition: Precondition
}

/** `POST /store/<address>/<path>`: the body becomes the file, whole, or nothing changes (PROTOCOL 1.3). */
export async function storeFile(hub: Hub, req: Request, res: Response): Promise<void> {
  const target = fileTarget(req, res)
  const size = declaredSize(req)
  const allowed = await judged(hub.instruments, async () => {
    const authority = await hub.authenticator.authenticate(req.headers, target.address)
    const contentType = readContentType(req.headers['content-type'])
    const permit = authorize(authority, { kind: 'store', path: target.path, size, contentType })
    return { authority, permit, contentType }
  })
  const precondition = readPrecondition(req.headers)
  if (size !== null && size > hub.maxBytes) throw tooLarge(hub.maxBytes)

  const info = await hub.pathLocks.hold(target.key, async () => {
    await hub.socialProofs.check(target.address, target.path)
    return write(hub, req, { target, ...allowed, size, precondition })
  })
  sendJson(res, 202, { publicURL: publicUrl(hub.readUrlPrefix, target), etag: quoteEtag(info.etag) })
}

async function write(hub: Hub, req: Request, store: Store): Promise<ObjectInfo> {
  const wanted = await driverCondition(store.precondition, hub.driver, store.target.key)
  // Before history: a grant to create only and a claim to archive meet here, and what is new has no history.
  if (store.permit.createOnly) return writeNew(hub, req, store, wanted)
  if (store.permit.mode === 'archive') return writeKeepingHistory(hub, req, store, wanted)
  return commit(hub, req, store, wanted)
}

/** A credential that may only create: the driver's own condition decides, whatever the client asked for. */
async function writeNew(
  hub: Hub,
  req: Request,
  store: Store,
  wanted: Condition | undefined,
): Promise<ObjectInfo> {
  if (wanted !== undefined && 'ifMatch' in wanted) {
    throw refuseUncovered('the credential may create files only, not replace a version')
  }
  try {
    return await commit(hub, req, store, { ifNoneMatch: '*' })
  } catch (error) {
    const exists = error instanceof DriverError && error.code === 'precondition_failed'
    if (!exists || wanted !== undefined) throw error
    throw refuseUncovered('the credential may create files only, and one is at this path')
  }
}

/**
 * Keeps the version that is about to be replaced once the whole body has come: a failed upload leaves no copy,
 * and at no moment is the path empty.
 */
async function writeKeepingHistory(
  hub: Hub,
  req: Request,
  store: Store,
  wanted: Condition | undefined,
): Promise<ObjectInfo> {
  const { address, path, key } = store.target
  const history = historyKey(address, path, hub.now())
  const condition = await exactCondition(hub.driver, key, wanted)
  try {
    return await commit(hub, req, store, condition, async () => {
      if ('ifMatch' in condition) await hub.driver.copy(key, history, condition)
    })
  } catch (error) {
    throw wanted === undefined ? asConflict(error) : error
  }
}

function commit(
  hub: Hub,
  req: Request,
  store: Store,
  condition: Condition | undefined,
  beforeCommit?: () => Promise<void>,
): Promise<ObjectInfo> {
  return hub.driver.write(store.target.key, upload(hub, req, store, beforeCommit), {
    contentType: store.contentType,
    cacheControl: hub.cacheControl,
    ...(condition === undefined ? {} : { condition }),
    ...(store.size === null ? {} : { size: store.size }),
  })
}

function upload(hub: Hub, req: Request, store: Store, beforeCommit?: () => Promise<void>): Upload {
  const maxBytes = Math.min(hub.maxBytes, store.permit.maxSize ?? hub.maxBytes)
  return new Upload(req, {
    maxBytes,
    tooLarge: () =>
      maxBytes < hub.maxBytes
        ? refuseUncovered(`the credential allows files of at most ${maxBytes} bytes`)
        : tooLarge(maxBytes),
    idleTimeoutMs: hub.idleTimeoutMs,
    beforeEnd: async () => {
      const { authority, target, size, contentType, permit } = store
      await authorizeAgain(authority, { kind: 'store', path: target.path, size, contentType }, permit)
      await beforeCommit?.()
    },
  })
}

/** Node has refused a Content-Length that is no number, and one beside a Transfer-Encoding. */
function declaredSize(req: Request): number | null {
  const header = req.headers['content-length']
  if (header !== undefined) return Number(header)
  return req.headers['transfer-encoding'] === undefined ? 0 : null
}

export function tooLarge(maxBytes: number): WireError {
  return new WireError('payload_too_large', `a file may have at most ${maxBytes} bytes at this hub`)
}
