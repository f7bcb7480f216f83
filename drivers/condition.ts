import type { Condition } from './driver.ts'
import { DriverError } from './errors.ts'

/**
 * Whether a condition holds for what a key holds now. Only a caller that keeps others from changing the key
 * until its commit may rely on the answer.
 * @param etag of the version that is there, `null` when nothing is
 * @throws `precondition_failed` with that etag
 */
export function checkCondition(condition: Condition | undefined, etag: string | null): void {
  if (condition === undefined) return
  if ('ifMatch' in condition) {
    if (condition.ifMatch === etag) return
    throw failed(etag === null ? 'nothing is stored under that name' : 'another version is stored now', etag)
  }
  if (etag !== null) throw failed('something is stored under that name already', etag)
}

function failed(message: string, etag: string | null): DriverError {
  return new DriverError('precondition_failed', message, etag === null ? {} : { etag })
}
