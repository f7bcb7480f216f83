import { randomInt } from 'node:crypto'
import type { Condition, Driver } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import { type Address, fileKey, type Key, type Path, parsePath } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { historyPrefix } from './auth/authorize.ts'
import { unmet } from './condition.ts'

/** In the order of their bytes. */
const alphanumerics = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The last millisecond that a name was made in, and how many were made in it. */
const last = { ms: 0, names: 0 }

/**
 * Where a former version is kept: `<dir>/.history.<ms>.<10 random alphanumerics>.<name>` (PROTOCOL 1.4).
 * @throws {KeyError} when that name would be too long
 */
export function historyKey(address: Address, path: Path, nowMs: number): Key {
  const slash = path.lastIndexOf('/') + 1
  last.names = last.ms === nowMs ? last.names + 1 : 0
  last.ms = nowMs
  // Versions of one millisecond are told apart by the first character: names are in the order of their making.
  const first = alphanumerics[Math.min(last.names, alphanumerics.length - 1)]
  const rest = Array.from({ length: 9 }, () => alphanumerics[randomInt(alphanumerics.length)])
  const random = [first, ...rest].join('')
  return fileKey(
    address,
    parsePath(`${path.slice(0, slash)}${historyPrefix}${nowMs}.${random}.${path.slice(slash)}`),
  )
}

/**
 * The condition under which a write that keeps history loses nothing: exactly the version that is there now is
 * replaced, or nothing is.
 * @param wanted what the client asked to hold
 * @throws {WireError} `precondition_failed` where what the client asked for does not hold
 */
export async function exactCondition(
  driver: Pick<Driver, 'stat'>,
  key: Key,
  wanted: Condition | undefined,
): Promise<Condition> {
  const former = await driver.stat(key)
  if (former === null) {
    if (wanted !== undefined && 'ifMatch' in wanted) throw unmet('there is no file at this path')
    return { ifNoneMatch: '*' }
  }
  if (wanted !== undefined && (!('ifMatch' in wanted) || wanted.ifMatch !== former.etag)) {
    throw unmet('the file at this path is another version', former.etag)
  }
  return { ifMatch: former.etag }
}

/** Another hub changed the file between the copy and the commit: nothing is lost, and the client may try again. */
export function asConflict(error: unknown): unknown {
  const lostRace =
    error instanceof DriverError && (error.code === 'precondition_failed' || error.code === 'not_found')
  return lostRace
    ? new WireError('conflict', 'the file was changed by another hub at the same time; try again')
    : error
}
