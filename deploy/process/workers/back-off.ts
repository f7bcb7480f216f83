/** How long the next start of a worker is put off, in milliseconds: at once, then from 0.5 s twice as long each time. */
const firstMs = 500
const longestMs = 30_000

/** A worker that has lived so long was sound: what ends it is a new story. */
const soundMs = 60_000

/**
 * Says how long to wait before a worker that ended is started anew: not at all when it has served for a while, longer
 * each time when it ends again and again.
 */
export class BackOff {
  #failures = 0

  /** @param livedMs how long the worker that ended had lived */
  next(livedMs: number): number {
    this.#failures = livedMs >= soundMs ? 0 : this.#failures + 1
    return this.#failures <= 1 ? 0 : Math.min(longestMs, firstMs * 2 ** (this.#failures - 2))
  }
}
