import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Api, Query } from './api.ts'
import { hasStatus, notFound } from './errors.ts'
import { canHold, infoOf, isGeneration, membersOf, objectFields } from './object-info.ts'
import { preconditionFailed, statObject } from './stat.ts'

/** Within one bucket a copy is made in one call; the bound is for a storage that never comes to an end. */
const maxCalls = 1000

/** A copy made by the storage itself: bytes, type and everything else of one version. */
export async function copyObject(
  api: Api,
  from: string,
  to: string,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  if (!canHold(from)) throw notFound()
  if (!canHold(to)) {
    throw new DriverError('invalid_key', 'the storage holds no names of more than 1,024 bytes')
  }
  if (ifMatch !== undefined && !isGeneration(ifMatch)) throw await refused(api, from)
  try {
    return await rewrite(api, `${api.path(from)}/rewriteTo${placeOf(api.path(to))}`, {
      ifSourceGenerationMatch: ifMatch,
    })
  } catch (error) {
    if (hasStatus(error, 404)) throw notFound()
    if (hasStatus(error, 412)) throw await refused(api, from)
    throw error
  }
}

async function rewrite(api: Api, path: string, condition: Query): Promise<ObjectInfo> {
  let rewriteToken: string | undefined
  for (let calls = 0; calls < maxCalls; calls++) {
    const query = {
      ...condition,
      rewriteToken,
      fields: `done,rewriteToken,resource(${objectFields})`,
    }
    const { value } = await api.retry(() => api.call({ method: 'POST', path, query, body: [] }))
    const answer = membersOf(value)
    if (answer.done === true) return infoOf(answer.resource)
    if (typeof answer.rewriteToken !== 'string') break
    rewriteToken = answer.rewriteToken
  }
  throw new DriverError('backend', 'the storage does not finish the copy')
}

/** `/b/<bucket>/o/<name>` */
function placeOf(path: string): string {
  return path.slice('/storage/v1'.length)
}

async function refused(api: Api, from: string): Promise<DriverError> {
  return (await statObject(api, from)) === null ? notFound() : await preconditionFailed(api, from)
}
