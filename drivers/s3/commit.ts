import { setTimeout as sleep } from 'node:timers/promises'
import { checkCondition } from '../condition.ts'
import type { Condition } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { codeOf, isConflict, isUnmet, statusOf } from './errors.ts'
import { isEtag, type Store, type Traits } from './store.ts'
import { currentVersion, headVersion, type Version } from './version.ts'

/** A condition as the requests that write have it. */
export interface NativeCondition {
  IfMatch?: string
  IfNoneMatch?: string
}

/** What is known of a version from the answer to the request that made it. */
export interface Committed {
  etag: string
  lastModifiedMs: number
}

/** A write under a condition that may be tried more than once. */
export interface ConditionalWrite {
  readonly key: string
  readonly condition: Condition
  /** That the new version's metadata has. */
  readonly writeId: string
  readonly attempt: (condition: NativeCondition) => Promise<Committed>
  /** Whether an error may stand for an answer that was lost, beside those that a service tells. */
  readonly isLost?: (error: unknown) => boolean
}

/** How long a write waits for another one at its key to be decided before it is `busy`. */
const waitMs = 10_000

/**
 * Makes a write succeed or fail as its condition says. S3 alone leaves three things open, which are settled by
 * looking at what is there now: whether a refused request had not been carried out when it was first tried, what
 * a conflict with another request means, and a mark of a deletion, which is nothing to a caller.
 * @throws `precondition_failed` with the etag that is there, `busy`
 */
export async function commitIf(store: Store, write: ConditionalWrite): Promise<Committed> {
  if (!store.traits.conditionalWrites) return await commitUnsafely(store, write)
  if ('ifMatch' in write.condition && !isEtag(write.condition.ifMatch)) {
    throw unmet((await currentVersion(store, write.key))?.etag)
  }
  const deadline = performance.now() + waitMs
  let asked = write.condition
  for (let tries = 1; performance.now() < deadline; tries++) {
    try {
      return await write.attempt(nativeCondition(store, asked))
    } catch (error) {
      if (!isOpen(error) && write.isLost?.(error) !== true) throw error
      const version = await headVersion(store, write.key)
      if (version?.writeId === write.writeId) return version.info
      asked = nextCondition(write.condition, version)
      // It would hold now. What the SDK has tried often enough is not tried again.
      if (!isUnmet(error) && !isConflict(error)) throw error
      if (codeOf(error) === 'NoSuchUpload') break
    }
    await sleep(Math.random() * 20 * tries)
  }
  throw new DriverError('busy', 'other operations are changing that name; try again')
}

/** As it has to be asked for in a request. */
export function nativeCondition(
  store: { readonly traits: Pick<Traits, 'quotedIfMatch'> },
  condition: Condition,
): NativeCondition {
  if ('ifNoneMatch' in condition) return { IfNoneMatch: '*' }
  return { IfMatch: store.traits.quotedIfMatch ? `"${condition.ifMatch}"` : condition.ifMatch }
}

/** The backend was accepted as one that ignores conditions: the check is no better than its timing. */
async function commitUnsafely(
  store: Store,
  { key, condition, attempt }: ConditionalWrite,
): Promise<Committed> {
  checkCondition(condition, (await currentVersion(store, key))?.etag ?? null)
  return await attempt({})
}

/** Whether what is there now has to say what an error meant. */
function isOpen(error: unknown): boolean {
  const status = statusOf(error)
  return isUnmet(error) || isConflict(error) || codeOf(error) === 'NoSuchUpload' || (status ?? 0) >= 500
}

/** Longer than any request of a deleter can be under way, which lets its last one begin within 30 s. */
const tombstoneMs = 120_000

/**
 * What to ask for in the next attempt.
 * @throws `precondition_failed` where the condition does not hold for what is there now
 */
export function nextCondition(condition: Condition, version: Version | null): Condition {
  const present = version === null || version.isTombstone ? null : version.info
  checkCondition(condition, present?.etag ?? null)
  // Whoever deleted did not live to take the mark away: it may be written over, and only once.
  const isAbandoned = version?.isTombstone === true && version.ageMs > tombstoneMs
  return isAbandoned ? { ifMatch: version.info.etag } : condition
}

function unmet(etag: string | undefined): DriverError {
  const message = etag === undefined ? 'nothing is stored under that name' : 'another version is stored now'
  return new DriverError('precondition_failed', message, etag === undefined ? {} : { etag })
}
