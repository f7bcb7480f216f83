import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Api, Query } from './api.ts'
import { hasStatus } from './errors.ts'
import { canHold, infoOf, isGeneration, membersOf, objectFields } from './object-info.ts'

export interface Described {
  readonly info: ObjectInfo
  /** What the write that made it is known by, where it said. */
  readonly writeId: string | null
}

/** The member of an object's own metadata that names the write that made it. */
export const writeIdMember = 'mandate-write'

/** @param generation that version only */
export async function describe(api: Api, name: string, generation?: string): Promise<Described | null> {
  if (!canHold(name)) return null
  try {
    const query = { fields: objectFields, generation }
    const { value } = await api.retry(() => api.call({ method: 'GET', path: api.path(name), query }))
    const writeId = membersOf(membersOf(value).metadata)[writeIdMember]
    return { info: infoOf(value), writeId: typeof writeId === 'string' ? writeId : null }
  } catch (error) {
    if (hasStatus(error, 404)) return null
    throw error
  }
}

export async function statObject(api: Api, name: string, generation?: string): Promise<ObjectInfo | null> {
  return (await describe(api, name, generation))?.info ?? null
}

/** The error of a condition that did not hold, with the etag of what is there now. */
export async function preconditionFailed(api: Api, name: string): Promise<DriverError> {
  try {
    const info = await statObject(api, name)
    if (info === null) return new DriverError('precondition_failed', 'nothing is stored under that name')
    return new DriverError('precondition_failed', 'another version is stored now', { etag: info.etag })
  } catch (cause) {
    // That it failed is known, and counts more than what is there.
    return new DriverError('precondition_failed', 'another version is stored now', { cause })
  }
}

/**
 * The query that holds a call to one version of an object.
 * @throws `precondition_failed` where the etag is none that the storage ever gave
 */
export async function matching(
  api: Api,
  name: string,
  etag: string | undefined,
  parameter = 'ifGenerationMatch',
): Promise<Query> {
  if (etag === undefined) return {}
  if (!isGeneration(etag)) throw await preconditionFailed(api, name)
  return { [parameter]: etag }
}
