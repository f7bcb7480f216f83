import { createRequire } from 'node:module'
import { DriverError } from '../errors.ts'

/** What Node lacks: locks between processes, and extended attributes of files. Nothing here waits. */
export interface NativeCalls {
  /**
   * Locks a byte range of an open file (on macOS the whole file) or answers false where somebody else has it. The
   * kernel gives it back when the process that holds it ends, however it ends.
   */
  tryLock(fd: number, offset?: number, length?: number): boolean
  unlock(fd: number, offset?: number, length?: number): void
  /** `null` when the file has no such attribute. */
  getAttrSync(fd: number, name: string): Buffer | null
  setAttrSync(fd: number, name: string, value: Buffer): void
}

let loaded: NativeCalls | undefined

/**
 * Loads the native module.
 * @throws `unavailable` where it does not load: without locks conditions would not hold, so nothing starts
 */
export function nativeCalls(): NativeCalls {
  loaded ??= load()
  return loaded
}

function load(): NativeCalls {
  try {
    return createRequire(import.meta.url)('fs-native-extensions')
  } catch (cause) {
    throw new DriverError(
      'unavailable',
      'the disk driver needs file locks: the native module fs-native-extensions does not load on this platform',
      { cause },
    )
  }
}
