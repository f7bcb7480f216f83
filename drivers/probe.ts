import { randomBytes } from 'node:crypto'
import type { Condition } from './driver.ts'
import { DriverError } from './errors.ts'
import { settled } from './settled.ts'

/**
 * What a probe does to a storage, by the backend's own calls and under a reserved name. Every rejection is a
 * {@link DriverError}, as those of a driver are.
 */
export interface ProbeTarget {
  /** Stores a few bytes and answers with the etag of that version. */
  write(name: string, bytes: Uint8Array, condition?: Condition): Promise<string>
  /** `null` where nothing is. */
  read(name: string): Promise<Uint8Array | null>
  /** All names that begin with `prefix`. */
  list(prefix: string): Promise<string[]>
  /**
   * Takes what is there away, under a condition where one is given. That nothing is there is `precondition_failed`
   * with a condition, and no error without one.
   */
  delete(name: string, condition?: { readonly ifMatch: string }): Promise<void>
}

/** What a storage can be relied on for. */
export interface Probed {
  /** `If-Match` and `If-None-Match: *` of a write are held to. */
  conditionalWrites: boolean
  /** `If-Match` of a delete is held to. */
  conditionalDeletes: boolean
}

/** Where probes write. No address has a dot, so nothing of an owner's can be there. */
export const probePrefix = '.mandate-probe/'

/**
 * Tries what a hub will need of a storage, and takes away again what it wrote.
 * @param name what to write to: {@link probeName} unless said otherwise
 * @throws the target's error where it cannot write, read, list or delete at all, saying which
 */
export async function probeStorage(target: ProbeTarget, name: string = probeName()): Promise<Probed> {
  try {
    // Side by side: a function that starts has its client waiting.
    const [conditionalWrites, conditionalDeletes] = await settled([
      probeWrites(target, name),
      probeDeletes(target, `${name}-deleted`),
    ])
    await must('delete an object', () => target.delete(name))
    if ((await must('read an object', () => target.read(name))) !== null) {
      throw new DriverError('backend', 'the storage still holds an object that was deleted')
    }
    return { conditionalWrites, conditionalDeletes }
  } catch (error) {
    // Best effort: the storage has failed already, and that failure is the one to tell.
    await Promise.allSettled([target.delete(name)])
    throw error
  }
}

/**
 * Tries what a reader will need of a storage, and changes nothing: that something which is not there is told from
 * something that may not be read.
 * @throws the target's error where it cannot be read
 */
export async function probeReading(target: Pick<ProbeTarget, 'read'>): Promise<void> {
  await must('read an object', () => target.read(probeName()))
}

/** For `capabilities.atomicDeletes` of a driver that deletes under conditions of the backend's own. */
export function holdsDeletes({ conditionalWrites, conditionalDeletes }: Probed): boolean {
  return conditionalWrites && conditionalDeletes
}

/** A name that no other probe uses. */
export function probeName(): string {
  return `${probePrefix}${randomBytes(12).toString('hex')}`
}

/**
 * Refuses a storage over which two writers with one etag could both win.
 * @param allowUnsafe take it nevertheless
 * @returns whether conditions hold, for `capabilities.atomicConditions`
 * @throws `backend`
 */
export function requireConditions({ conditionalWrites }: Probed, allowUnsafe: boolean): boolean {
  if (conditionalWrites || allowUnsafe) return conditionalWrites
  throw new DriverError(
    'backend',
    'the storage does not hold writes to If-Match and If-None-Match, so that writers at the same time would ' +
      'lose updates; allowUnsafeConditions: true accepts that',
  )
}

async function probeWrites(target: ProbeTarget, name: string): Promise<boolean> {
  const first = await must('write an object', () => target.write(name, bytesOf('first')))
  const read = await must('read an object', () => target.read(name))
  if (read === null || !bytesOf('first').equals(read)) {
    throw new DriverError('backend', 'the storage does not hold what was just written to it')
  }
  const names = await must('list objects', () => target.list(name))
  if (!names.includes(name)) throw new DriverError('backend', 'the storage does not list what it holds')

  const second = await must('overwrite an object', () => target.write(name, bytesOf('second')))
  return (
    (await holds(() => target.write(name, bytesOf('a'), { ifNoneMatch: '*' }), false)) &&
    (await holds(() => target.write(name, bytesOf('b'), { ifMatch: first }), false)) &&
    (await holds(() => target.write(name, bytesOf('third'), { ifMatch: second }), true))
  )
}

async function probeDeletes(target: ProbeTarget, name: string): Promise<boolean> {
  try {
    const stale = await must('write an object', () => target.write(name, bytesOf('former')))
    const current = await must('overwrite an object', () => target.write(name, bytesOf('current')))
    return (
      (await holds(() => target.delete(name, { ifMatch: stale }), false)) &&
      (await holds(() => target.delete(name, { ifMatch: current }), true)) &&
      (await must('read an object', () => target.read(name))) === null &&
      (await holds(() => target.delete(name, { ifMatch: current }), false))
    )
  } finally {
    await Promise.allSettled([target.delete(name)])
  }
}

function bytesOf(text: string): Buffer {
  return Buffer.from(`mandate start check: ${text}`)
}

async function must<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    throw new DriverError(error.code, `the storage cannot be used to ${what}: ${error.message}`, {
      cause: error,
    })
  }
}

/**
 * Whether a step under a condition went as the condition says. A backend that answers with something else, that
 * it knows no conditions for instance, does not hold to them.
 */
async function holds(step: () => Promise<unknown>, succeeds: boolean): Promise<boolean> {
  try {
    await step()
    return succeeds
  } catch (error) {
    if (!(error instanceof DriverError) || error.code === 'unavailable') throw error
    return !succeeds && error.code === 'precondition_failed'
  }
}
