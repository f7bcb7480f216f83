/** Keeps the smallest of many items in bounded memory. */
export class Smallest<T extends { readonly order: string }> {
  readonly #limit: number
  #kept: T[] = []
  /** Nothing from here on can be among the smallest; `null` while there is room. */
  #ceiling: string | null = null

  /** @param limit how many to keep, at least 1 */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether an item of this order would be kept. */
  admits(order: string): boolean {
    return this.#ceiling === null || order < this.#ceiling
  }

  add(item: T): void {
    this.#kept.push(item)
    // Sorting every now and then costs no more than keeping a heap, and what is kept doubles at most.
    if (this.#kept.length >= this.#limit * 2) this.#cut()
  }

  /** What was kept, in ascending order. */
  take(): T[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    this.#kept.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    this.#kept = this.#kept.slice(0, this.#limit)
    if (this.#kept.length === this.#limit) this.#ceiling = this.#kept.at(-1)?.order ?? null
  }
}
