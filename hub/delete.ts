import type { Request, Response } from 'express'
import type { Condition } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { type Action, authorize } from './auth/authorize.ts'
import { authorizeAgain } from './auth/authorize-again.ts'
import { driverCondition, readPrecondition, unmet } from './condition.ts'
import { asConflict, exactCondition, historyKey } from './history.ts'
import type { Hub } from './hub.ts'
import { judged } from './judged.ts'
import { type FileTarget, fileTarget } from './target.ts'

type DeleteCondition = Extract<Condition, { ifMatch: string }>

/** `DELETE /delete/<address>/<path>`: 202, or 404 when there was nothing. An If-Match is held to, where one is sent. */
export async function removeFile(hub: Hub, req: Request, res: Response): Promise<void> {
  const target = fileTarget(req, res)
  const action: Action = { kind: 'delete', path: target.path }
  const { authority, permit } = await judged(hub.instruments, async () => {
    const authority = await hub.authenticator.authenticate(req.headers, target.address)
    return { authority, permit: authorize(authority, action) }
  })
  const precondition = readPrecondition(req.headers)
  if (precondition.kind === 'absent') throw unmet('If-None-Match: * and a delete exclude each other')

  await hub.pathLocks.hold(target.key, async () => {
    const wanted = (await driverCondition(precondition, hub.driver, target.key)) as
      | DeleteCondition
      | undefined
    await authorizeAgain(authority, action, permit)
    if (permit.mode === 'archive') await moveToHistory(hub, target, wanted)
    else await hub.driver.delete(target.key, wanted === undefined ? {} : { condition: wanted })
  })
  res.status(202).end()
}

/** An archival delete: the version that goes is the version that was kept. */
async function moveToHistory(
  hub: Hub,
  { address, path, key }: FileTarget,
  wanted?: DeleteCondition,
): Promise<void> {
  const condition = await exactCondition(hub.driver, key, wanted)
  // Not left to the driver: what another hub stores meanwhile would go without a copy.
  if (!('ifMatch' in condition)) throw new DriverError('not_found', 'nothing is stored under that name')
  try {
    await hub.driver.copy(key, historyKey(address, path, hub.now()), condition)
    await hub.driver.delete(key, { condition })
  } catch (error) {
    throw wanted === undefined ? asConflict(error) : error
  }
}
