import type { Request, Response } from 'express'
import { checkCondition } from '../drivers/condition.ts'
import type { Condition, PresignedUpload } from '../drivers/driver.ts'
import { WireError } from '../http/errors.ts'
import { sendJson } from '../http/send-json.ts'
import { authorize } from './auth/authorize.ts'
import { authorizeAgain } from './auth/authorize-again.ts'
import { refuseUncovered } from './auth/refusal.ts'
import { driverCondition, readPrecondition } from './condition.ts'
import { readContentType } from './content-type.ts'
import type { DirectUpload, Hub } from './hub.ts'
import { invalidMember, jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { publicUrl } from './public-url.ts'
import { type Store, tooLarge } from './store.ts'
import { fileTarget } from './target.ts'

/**
 * `POST /upload/<address>/<path>` with `{size, contentType}` and the conditions of a store: the request by which the
 * client brings the file to the storage itself, which holds it to just that. It is allowed exactly where a store of
 * such a file is. What is revoked after this answer is revoked too late for it, for as long as it lasts.
 */
export async function presignUpload(hub: Hub, req: Request, res: Response): Promise<void> {
  const target = fileTarget(req, res)
  const { authority, action, permit } = await judged(hub.instruments, async () => {
    const authority = await hub.authenticator.authenticate(req.headers, target.address)
    const action = { kind: 'store' as const, path: target.path, ...readUpload(jsonBody(req)) }
    return { authority, action, permit: authorize(authority, action) }
  })
  const { size, contentType } = action
  const precondition = readPrecondition(req.headers)
  if (size > hub.maxBytes) throw tooLarge(hub.maxBytes)
  const direct = requireDirectUpload(hub, size)

  const upload = await hub.pathLocks.hold(target.key, async () => {
    await hub.socialProofs.check(target.address, target.path)
    const store = { target, authority, permit, contentType, size, precondition }
    const condition = await conditionOf(hub, store)
    await authorizeAgain(authority, action, permit)
    return direct.uploads.presign(target.key, {
      expiresInSeconds: direct.lifetimeSeconds,
      size,
      contentType,
      cacheControl: hub.cacheControl,
      ...(condition === undefined ? {} : { condition }),
    })
  })
  res.setHeader('Cache-Control', 'no-store')
  sendJson(res, 200, { ...answerOf(upload), publicURL: publicUrl(hub.readUrlPrefix, target) })
}

function answerOf({ method, url, headers, expiresMs, etagHeader = null }: PresignedUpload) {
  return { method, url, headers, expires: Math.floor(expiresMs / 1000), etagHeader }
}

function readUpload({ size, contentType }: Readonly<Record<string, unknown>>) {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidMember('size', 'the size of the file in bytes, a whole number')
  }
  if (contentType !== undefined && contentType !== null && typeof contentType !== 'string') {
    throw invalidMember('contentType', 'the Content-Type of the file')
  }
  return { size, contentType: readContentType(contentType ?? undefined) }
}

function requireDirectUpload({ directUpload }: Hub, size: number): DirectUpload {
  if (directUpload === null) throw unsupported('this hub hands out no direct uploads')
  const { maxBytes } = directUpload.uploads
  if (size > maxBytes) throw unsupported(`the storage takes at most ${maxBytes} bytes in one request`)
  return directUpload
}

/**
 * What the storage is to hold the upload to when it comes. That it does not hold now is told at once, to spare the
 * client the upload.
 * @throws {WireError} `not_authorized`, `not_supported`; or a DriverError `precondition_failed`
 */
async function conditionOf(hub: Hub, store: Store): Promise<Condition | undefined> {
  const { target, permit, precondition } = store
  const wanted = await driverCondition(precondition, hub.driver, target.key)
  if (permit.createOnly && wanted !== undefined && 'ifMatch' in wanted) {
    throw refuseUncovered('the credential may create files only, not replace a version')
  }
  const mustBeNew = permit.createOnly || permit.mode === 'archive'
  if (wanted === undefined && !mustBeNew) return undefined
  const current = await hub.driver.stat(target.key)
  if (wanted !== undefined) checkCondition(wanted, current?.etag ?? null)
  if (current !== null && permit.createOnly) {
    throw refuseUncovered('the credential may create files only, and one is at this path')
  }
  // The former version would have to be kept before, though the upload may never come; and each request that none
  // follows would leave one more copy.
  if (current !== null && permit.mode === 'archive') {
    throw unsupported('a direct upload keeps no history, and the credential may not replace a file without')
  }
  return mustBeNew ? { ifNoneMatch: '*' } : wanted
}

function unsupported(reason: string): WireError {
  return new WireError('not_supported', `${reason}; send the file to /store`)
}
