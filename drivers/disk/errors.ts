import { getSystemErrorMap } from 'node:util'
import { DriverError, type DriverErrorCode } from '../errors.ts'
import { errnoOf } from './calls.ts'

/** What the system's refusals mean to a caller; those that are not here are `backend`. */
const codes: Readonly<Record<string, DriverErrorCode>> = {
  ENAMETOOLONG: 'invalid_key',
  EILSEQ: 'invalid_key',
  EEXIST: 'invalid_key',
  ENOTDIR: 'invalid_key',
  EISDIR: 'invalid_key',
  ENOTEMPTY: 'invalid_key',
  ELOOP: 'invalid_key',
  // A folder of our own is missing: the volume is not mounted, or somebody has removed the root.
  ENOENT: 'unavailable',
  ENOSPC: 'unavailable',
  EDQUOT: 'unavailable',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
  ENOMEM: 'unavailable',
  EAGAIN: 'unavailable',
  EBUSY: 'unavailable',
  ETIMEDOUT: 'unavailable',
  ESTALE: 'unavailable',
}

const obstacles = new Set(['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY'])

/** Turns what a file system call threw into the error of the contract. Its message never holds a path. */
export function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  const errno = errnoOf(error)
  if (errno === undefined) return new DriverError('backend', 'the disk driver failed', { cause: error })
  return new DriverError(codes[errno] ?? 'backend', messageOf(error, errno), { cause: error })
}

function messageOf(error: unknown, errno: string): string {
  if (obstacles.has(errno)) {
    return `a file stands where a folder is needed, or a folder where a file is (${errno})`
  }
  return `the file system answered ${errno}${explanationOf(error)}`
}

function explanationOf(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return ''
  const text = getSystemErrorMap().get(error.errno)?.[1]
  return text === undefined ? '' : ` (${text})`
}

/** Runs a task whose system errors are to become those of the contract. */
export async function asDriver<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDriverError(error)
  }
}
