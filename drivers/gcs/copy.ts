import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Api } from './api.ts'
import { hasStatus, notFound } from './errors.ts'
import { canHold, infoOf, isGeneration, membersOf, objectFields } from './object-info.ts'
import { preconditionFailed, statObject } from './stat.ts'

/** The bound is for a storage that never comes to an end. */
const maxCalls = 10_000

/** How often a copy begins anew because its source changed on the way. */
const maxRounds = 100

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
    return (await rewrite(api, from, to, ifMatch, 1)) ?? (await rewriteVersion(api, from, to, ifMatch))
  } catch (error) {
    if (hasStatus(error, 404)) throw notFound()
    if (hasStatus(error, 412)) throw await refused(api, from)
    throw error
  }
}

/** A copy that takes several calls must be held to one version, lest it be a mixture. */
async function rewriteVersion(
  api: Api,
  from: string,
  to: string,
  ifMatch: string | undefined,
): Promise<ObjectInfo> {
  for (let round = 0; round < maxRounds; round++) {
    const generation = ifMatch ?? (await statObject(api, from))?.etag
    if (generation === undefined) throw notFound()
    try {
      const info = await rewrite(api, from, to, generation, maxCalls)
      if (info === null) throw new DriverError('backend', 'the storage does not finish the copy')
      return info
    } catch (error) {
      if (ifMatch !== undefined || !hasStatus(error, 412)) throw error
    }
  }
  throw new DriverError('busy', 'the object changes too often to be copied')
}

/** `null` when it is not done after so many calls. Within one bucket Google's own storage needs one. */
async function rewrite(
  api: Api,
  from: string,
  to: string,
  generation: string | undefined,
  calls: number,
): Promise<ObjectInfo | null> {
  const path = `${api.path(from)}/rewriteTo${placeOf(api.path(to))}`
  const fields = `done,rewriteToken,resource(${objectFields})`
  let rewriteToken: string | undefined
  for (let call = 0; call < calls; call++) {
    const query = { ifSourceGenerationMatch: generation, rewriteToken, fields }
    const { value } = await api.retry(() => api.call({ method: 'POST', path, query, body: [] }))
    const answer = membersOf(value)
    if (answer.done === true) return infoOf(answer.resource)
    rewriteToken = typeof answer.rewriteToken === 'string' ? answer.rewriteToken : undefined
  }
  return null
}

/** `/b/<bucket>/o/<name>` */
function placeOf(path: string): string {
  return path.slice('/storage/v1'.length)
}

async function refused(api: Api, from: string): Promise<DriverError> {
  return (await statObject(api, from)) === null ? notFound() : await preconditionFailed(api, from)
}
