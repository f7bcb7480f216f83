import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing, mayBeDone } from './errors.ts'

export interface RetrySettings {
  /** How often a call is tried again. */
  readonly maxRetries: number
  /** The longest wait before a retry, in milliseconds. */
  readonly maxDelayMs: number
  /** How long after its first try a call may be tried again, in milliseconds. */
  readonly totalTimeoutMs: number
  /** From 0 to below 1. */
  readonly random: () => number
}

export interface Tries {
  /** 1 for the first one. */
  readonly count: number
  /** Whether an earlier one may have been carried out, its answer lost. */
  readonly mayBeDone: boolean
}

/**
 * Runs `task` again while it fails with what may pass, after a growing time of which one half is random, so that
 * clients that were refused together do not come back together.
 */
export async function retry<T>(settings: RetrySettings, task: (tries: Tries) => Promise<T>): Promise<T> {
  const started = performance.now()
  let unsure = false
  for (let count = 1; ; count++) {
    try {
      return await task({ count, mayBeDone: unsure })
    } catch (error) {
      if (count > settings.maxRetries || !isPassing(error)) throw error
      const delay = delayAfter(count, settings)
      if (performance.now() - started + delay > settings.totalTimeoutMs) throw error
      unsure ||= mayBeDone(error)
      await sleep(delay)
    }
  }
}

const firstDelayMs = 250

/** Milliseconds to wait after so many tries. */
export function delayAfter(count: number, { maxDelayMs, random }: RetrySettings): number {
  const longest = Math.min(maxDelayMs, firstDelayMs * 2 ** (count - 1))
  return (longest * (1 + random())) / 2
}
