/** How long calls are tried again. */
export interface RetryOptions {
  /** No further try begins so long after the first one, in milliseconds. 60,000 by default; 0 for one try only. */
  maxElapsedMs?: number
  /** The most that is waited before the second try; it doubles from try to try. 200 by default. */
  baseDelayMs?: number
  /** The most that is waited between two tries, but for a hub that asks for more. 8,000 by default. */
  maxDelayMs?: number
}

/** One call's series of tries. */
export interface Backoff {
  /** The next wait is spread over at least so much: for tries that take long themselves, at a busy server. */
  widen(spanMs: number): void
  /**
   * Waits before the next try: a random part of a span that doubles, so that clients who met do not meet again.
   * @param atLeastMs what the hub asked for
   * @returns false, at once, where no further try is due
   * @throws the reason of the signal
   */
  wait(atLeastMs: number, signal: AbortSignal | undefined): Promise<boolean>
}

export interface BackoffClock {
  readonly now: () => number
  /** 0 to 1, the latter excluded. */
  readonly random: () => number
}

export function backoff(options: RetryOptions, { now, random }: BackoffClock): Backoff {
  const { maxElapsedMs = 60_000, baseDelayMs = 200, maxDelayMs = 8_000 } = options
  const startedAt = now()
  let spanMs = baseDelayMs
  return {
    widen(atLeastMs) {
      spanMs = Math.max(spanMs, atLeastMs)
    },
    async wait(atLeastMs, signal) {
      const delayMs = atLeastMs + random() * Math.min(spanMs, maxDelayMs)
      spanMs *= 2
      if (now() + delayMs - startedAt >= maxElapsedMs) return false
      await sleep(delayMs, signal)
      return true
    },
  }
}

/** @throws the reason of the signal */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
