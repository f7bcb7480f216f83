import { LRUCache } from 'lru-cache'

export interface FactCacheOptions<Fact extends {}> {
  /** The most facts kept; the least recently used go first. */
  maxEntries: number
  /** How old a fact may be when it is used, in milliseconds; 0 loads it for every use. */
  maxAgeMs: number
  /** Reads the fact from storage. A rejection reaches everyone who waits for it and nothing is kept. */
  load: (name: string) => Promise<Fact>
  /**
   * Combines what is known with what was loaded. The facts of owners only ever grow (a timestamp rises, a
   * revocation stays), so a slow read can never bring back what has ended meanwhile.
   */
  merge: (known: Fact, loaded: Fact) => Fact
  /** Milliseconds of a clock that never goes back. */
  monotonicNow?: () => number
}

interface Entry<Fact> {
  fact: Fact
  /** When the load that confirmed it began: what storage held before that instant is in it. */
  asOfMs: number
}

/**
 * The hub's one memory of what owners have said, bounded in entries and in age. Absence is a fact like any
 * other, and look-ups of one fact that are made at the same time share one read.
 */
export class FactCache<Fact extends {}> {
  readonly #options: FactCacheOptions<Fact>
  readonly #entries: LRUCache<string, Entry<Fact>>
  readonly #loads = new Map<string, Promise<Fact>>()
  readonly #now: () => number

  constructor(options: FactCacheOptions<Fact>) {
    this.#options = options
    this.#entries = new LRUCache({ max: options.maxEntries })
    this.#now = options.monotonicNow ?? (() => performance.now())
  }

  /** The fact, at most `maxAgeMs` old. */
  get(name: string): Fact | Promise<Fact> {
    const { maxAgeMs } = this.#options
    // With an age of 0 a look-up must not share a read that began before it: each sees storage for itself.
    if (maxAgeMs === 0) return this.#load(name)
    const entry = this.#entries.get(name)
    if (entry !== undefined && this.#now() - entry.asOfMs < maxAgeMs) return entry.fact
    return this.#loads.get(name) ?? this.#loadOnce(name)
  }

  /** Takes in a fact that this hub has just made true in storage. */
  learn(name: string, fact: Fact): void {
    this.#keep(name, fact, this.#now())
  }

  #loadOnce(name: string): Promise<Fact> {
    const load = this.#load(name).finally(() => this.#loads.delete(name))
    this.#loads.set(name, load)
    return load
  }

  async #load(name: string): Promise<Fact> {
    const beganMs = this.#now()
    return this.#keep(name, await this.#options.load(name), beganMs)
  }

  #keep(name: string, fact: Fact, asOfMs: number): Fact {
    const known = this.#entries.peek(name)
    const merged = known === undefined ? fact : this.#options.merge(known.fact, fact)
    this.#entries.set(name, { fact: merged, asOfMs: Math.max(asOfMs, known?.asOfMs ?? asOfMs) })
    return merged
  }
}
