import { DriverError } from '../errors.ts'
import type { Api } from './api.ts'
import { hasStatus, notFound, unclear } from './errors.ts'
import { canHold } from './object-info.ts'
import { matching, preconditionFailed } from './stat.ts'

/**
 * @throws `not_found`, or `precondition_failed` under a condition. Where an answer was lost and the object is gone
 * at the next try, it is taken for deleted by this call.
 */
export async function deleteObject(api: Api, name: string, ifMatch: string | undefined): Promise<void> {
  let mayBeDone = false
  try {
    if (!canHold(name)) throw notFound()
    const query = await matching(api, name, ifMatch)
    await api.retry((tries) => {
      mayBeDone = tries.mayBeDone
      return api.call({ method: 'DELETE', path: api.path(name), query })
    })
  } catch (error) {
    const isGone = hasStatus(error, 404)
    if (!isGone && !hasStatus(error, 412)) throw error
    if (isGone && mayBeDone) return
    if (mayBeDone) throw unclear()
    if (ifMatch !== undefined) throw await preconditionFailed(api, name)
    throw isGone ? notFound() : error
  }
}

/** For what need not be there. */
export async function deleteIfThere(api: Api, name: string, ifMatch: string | undefined): Promise<void> {
  try {
    await deleteObject(api, name, ifMatch)
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'not_found') throw error
  }
}
