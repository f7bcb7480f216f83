import { LRUCache } from 'lru-cache'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { WireError } from './errors.ts'

export interface RateLimiterOptions {
  /** Requests of one key within a minute from its first; further ones are refused until that minute is over. */
  perMinute: number
  /** Keys counted at the same time. The least recently used goes first, and begins anew when it comes again. */
  maxKeys?: number
  /** What a refusal says. */
  message: string
}

const windowSeconds = 60

/** A key takes about 400 bytes here, so 40 MB at the most. */
const defaultMaxKeys = 100_000

/**
 * Counts requests by key, in this process alone. The library's own memory grows by one entry and one timer for each
 * key that it sees within a minute, without bound; here whoever comes from ever new keys pushes out the oldest.
 */
export class RateLimiter {
  readonly #limiter: RateLimiterMemory
  readonly #keys: LRUCache<string, true>
  readonly #message: string

  constructor({ perMinute, maxKeys = defaultMaxKeys, message }: RateLimiterOptions) {
    const limiter = new RateLimiterMemory({ points: perMinute, duration: windowSeconds, keyPrefix: '' })
    this.#limiter = limiter
    this.#message = message
    this.#keys = new LRUCache({
      max: maxKeys,
      dispose: (_value, key, reason) => {
        if (reason === 'evict') void limiter.delete(key)
      },
    })
  }

  /** Counts one request. @throws {WireError} `rate_limited`, with the seconds until its minute is over */
  async take(key: string): Promise<void> {
    this.#keys.set(key, true)
    try {
      await this.#limiter.consume(key)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000))
      throw new WireError('rate_limited', this.#message, { retryAfterSeconds })
    }
  }
}
