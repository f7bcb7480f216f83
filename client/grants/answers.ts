import { BadAnswerError } from '../errors.ts'
import type { UcanCapability } from '../sign-ucan.ts'

type Members = Readonly<Record<string, unknown>>

/** A member of an answer that must be a text. @throws {BadAnswerError} */
export function readText(answer: Members, member: string): string {
  const value = answer[member]
  if (typeof value !== 'string') throw new BadAnswerError(`the hub answered without a text "${member}"`)
  return value
}

/** A time in seconds since 1970, or `null`. @throws {BadAnswerError} */
export function readTimeOrNull(answer: Members, member: string): number | null {
  const value = answer[member] ?? null
  if (value === null || (typeof value === 'number' && Number.isSafeInteger(value))) return value
  throw new BadAnswerError(`the hub answered with a "${member}" that is no time`)
}

/** The member `capabilities`. @throws {BadAnswerError} */
export function readCapabilities(answer: Members): UcanCapability[] {
  const { capabilities } = answer
  if (Array.isArray(capabilities) && capabilities.every(isCapability)) return capabilities
  throw new BadAnswerError('the hub answered without a list of "capabilities"')
}

function isCapability(value: unknown): value is UcanCapability {
  if (typeof value !== 'object' || value === null) return false
  const { with: resource, can, nb = {} } = value as Members
  return typeof resource === 'string' && typeof can === 'string' && typeof nb === 'object' && nb !== null
}
