/** What a connection knows to be at a path: an etag; or `null`: nothing. */
export type KnownVersion = string | null

/** More paths than this and the oldest are forgotten: they count as unknown again, which is safe. */
const maxPaths = 100_000

/**
 * What one connection has read and written, by path, and one write at a time for each path: of two puts that are not
 * waited for, the later one replaces the earlier.
 */
export class Versions {
  readonly #known = new Map<string, KnownVersion>()
  readonly #last = new Map<string, Promise<unknown>>()

  /** `undefined` where nothing is known. */
  of(path: string): KnownVersion | undefined {
    return this.#known.get(path)
  }

  saw(path: string, version: KnownVersion): void {
    this.#known.delete(path)
    this.#known.set(path, version)
    if (this.#known.size > maxPaths) this.#known.delete([...this.#known.keys()][0] ?? '')
  }

  forget(path: string): void {
    this.#known.delete(path)
  }

  /** Runs a write when those before it at the same path are over. */
  async inTurn<T>(path: string, write: () => Promise<T>): Promise<T> {
    const before = this.#last.get(path)
    const mine = (async () => {
      await before?.catch(() => undefined)
      return write()
    })()
    this.#last.set(path, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(path) === mine) this.#last.delete(path)
    }
  }
}
