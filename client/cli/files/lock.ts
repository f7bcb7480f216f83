import { mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../cli-error.ts'

/** After which a lock is one that a crash left, and how long to wait: long enough to outlast that. */
const lockStaleMs = 10_000
const lockWaitMs = 12_000

/**
 * Does some short work while no other run does work under the same lock, a folder that is made for it.
 * @throws {CliError} where another run has it for longer than that
 */
export async function withLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 })
  await takeLock(lock)
  try {
    return await work()
  } finally {
    await rmdir(lock)
  }
}

async function takeLock(lock: string): Promise<void> {
  const end = Date.now() + lockWaitMs
  while (Date.now() < end) {
    try {
      await mkdir(lock)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(lock)) await rmdir(lock).catch(() => undefined)
    // Spread, so that many who wait do not all try at once.
    await sleep(5 + Math.random() * 20)
  }
  throw new CliError('failed', `another run holds ${lock}; if there is none, remove it`)
}

async function isStale(lock: string): Promise<boolean> {
  const info = await stat(lock).catch(() => null)
  return info !== null && Date.now() - info.mtimeMs > lockStaleMs
}
