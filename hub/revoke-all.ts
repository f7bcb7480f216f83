import type { Request, Response } from 'express'
import { sendJson } from '../http/send-json.ts'
import { isOwnership, isWholeOwner } from './auth/authorize.ts'
import type { Hub } from './hub.ts'
import { invalidMember, jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { refuseStranger } from './stranger.ts'
import { bucketTarget } from './target.ts'

/** How far ahead of the hub's clock a timestamp may lie; more is a mistake, milliseconds for instance. */
const maxAheadSeconds = 24 * 60 * 60

/**
 * `POST /revoke-all/<address>`: tokens issued before the timestamp no longer work (PROTOCOL 1.5). It only rises;
 * a lower one is answered alike and changes nothing.
 */
export async function revokeAll(hub: Hub, req: Request, res: Response): Promise<void> {
  const address = bucketTarget(req, res)
  await judged(hub.instruments, async () => {
    const authority = await hub.revocationAuthenticator.authenticate(req.headers, address)
    if (!isWholeOwner(authority))
      throw refuseStranger(authority, isOwnership, 'only the owner may revoke all')
  })
  const seconds = readTimestamp(jsonBody(req).oldestValidTimestamp, hub.now())
  await hub.authorityStore.raiseOldestValid(address, seconds)
  sendJson(res, 202, { status: 'success' })
}

function readTimestamp(value: unknown, nowMs: number): number {
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (!Number.isSafeInteger(seconds) || Number(seconds) < 0) {
    throw invalidMember('oldestValidTimestamp', 'a whole number of seconds since 1970')
  }
  if (Number(seconds) > nowMs / 1000 + maxAheadSeconds) {
    throw invalidMember('oldestValidTimestamp', 'at most 24 hours ahead; it counts seconds, not milliseconds')
  }
  return Number(seconds)
}
