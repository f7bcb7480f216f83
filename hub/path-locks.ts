import type { Key } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'

/** Which keys this hub is changing at the moment. Other hubs are the driver's business: it commits atomically. */
export class PathLocks {
  readonly #held = new Set<Key>()

  /**
   * Runs one operation at a key.
   * @throws {WireError} `conflict` at once when another one is under way there (PROTOCOL 1.3)
   */
  async hold<Result>(key: Key, operation: () => Promise<Result>): Promise<Result> {
    if (this.#held.has(key)) {
      throw new WireError(
        'conflict',
        'another operation at this path is under way; try again when it has ended',
      )
    }
    this.#held.add(key)
    try {
      return await operation()
    } finally {
      this.#held.delete(key)
    }
  }
}
