import { LRUCache } from 'lru-cache'

export interface FactCacheOptions<Fact extends {}> {
  /** The most facts kept; the least recently used go first. */
  maxEntries: number
  /** Where facts differ much in size: the most bytes kept, and how many a fact takes. */
  maxBytes?: number
  bytesOf?: (fact: Fact) => number
  /** How old a fact may be when it is used, in milliseconds; 0 loads it for every use. */
  maxAgeMs: number
  /** Facts that can never become untrue, and so do not age. */
  isLasting?: (fact: Fact) => boolean
  /** Reads the fact from storage. A rejection reaches everyone who waits for it and nothing is kept. */
  load: (name: string) => Promise<Fact>
  /**
   * Combines what is known with what was loaded. The facts of owners only ever grow (a timestamp rises, a
   * revocation stays), so a slow read can never bring back what has ended meanwhile.
   */
  merge: (known: Fact, loaded: Fact) => Fact
  /** Told of each look-up, and whether memory could answer it. */
  onLookup?: (isHit: boolean) => void
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
  readonly #loads = new Map<string, { promise: Promise<Fact>; beganMs: number }>()
  readonly #now: () => number

  constructor(options: FactCacheOptions<Fact>) {
    const { maxEntries, maxBytes, bytesOf } = options
    this.#options = options
    this.#entries = new LRUCache({
      max: maxEntries,
      ...(maxBytes === undefined || bytesOf === undefined
        ? {}
        : { maxSize: maxBytes, sizeCalculation: ({ fact }) => bytesOf(fact) }),
    })
    this.#now = options.monotonicNow ?? (() => performance.now())
  }

  /** The fact, at most `maxAgeMs` old. */
  get(name: string): Fact | Promise<Fact> {
    const entry = this.#entries.get(name)
    const isHit = entry !== undefined && this.#isFresh(entry)
    this.#options.onLookup?.(isHit)
    if (isHit) return entry.fact
    // With an age of 0 a look-up must not share a read that began before it: each sees storage for itself.
    if (this.#options.maxAgeMs === 0) return this.#load(name)
    const load = this.#loads.get(name)
    // One that began too long ago will tell what is already too old.
    const isYoung = load !== undefined && this.#now() - load.beganMs < this.#options.maxAgeMs
    return isYoung ? load.promise : this.#loadShared(name)
  }

  /** Takes in a fact that this hub has just made true in storage. */
  learn(name: string, fact: Fact): void {
    this.#keep(name, fact, this.#now())
  }

  /** Takes in a part of a fact: the whole is still to be loaded when it is next asked for, and will hold it. */
  learnPart(name: string, part: Fact): void {
    this.#keep(name, part, Number.NEGATIVE_INFINITY)
  }

  #isFresh({ fact, asOfMs }: Entry<Fact>): boolean {
    return this.#now() - asOfMs < this.#options.maxAgeMs || this.#options.isLasting?.(fact) === true
  }

  #loadShared(name: string): Promise<Fact> {
    const load = { beganMs: this.#now(), promise: this.#load(name) }
    this.#loads.set(name, load)
    const forget = () => {
      if (this.#loads.get(name) === load) this.#loads.delete(name)
    }
    load.promise.then(forget, forget)
    return load.promise
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
