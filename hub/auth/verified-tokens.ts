import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/**
 * Remembers tokens whose signatures have been verified, by the hash of their text, so that a token that comes
 * again costs no signature check. Only what a signature settles for ever is kept: times, revocations and scopes
 * are checked at every use. Bounded; refusals are not kept.
 */
export class VerifiedTokens<Verified extends {}> {
  readonly #entries: LRUCache<string, Verified>
  readonly #onLookup: (isHit: boolean) => void

  /** @param onLookup told of each look-up, and whether the token was known */
  constructor(maxEntries: number, onLookup: (isHit: boolean) => void = () => undefined) {
    this.#onLookup = onLookup
    this.#entries = new LRUCache({ max: maxEntries })
  }

  /** What `verify` makes of the token, from memory where it succeeded before. */
  verify(token: string, verify: (token: string) => Verified): Verified {
    const id = hash('sha256', token, 'base64')
    const known = this.#entries.get(id)
    this.#onLookup(known !== undefined)
    if (known !== undefined) return known
    const verified = verify(token)
    this.#entries.set(id, verified)
    return verified
  }
}
