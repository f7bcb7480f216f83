/** Lets a few tasks work at a time; the others wait, first come first served. */
export class Turns {
  #free: number
  readonly #waiting: Array<() => void> = []

  constructor(width: number) {
    this.#free = width
  }

  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/**
 * Works on all items, at most so many at once, and takes the next one when there is room. The first error ends it, once
 * what is under way has ended.
 */
export async function forEachOf<T>(
  items: AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  let stopped = false
  const worker = async (): Promise<void> => {
    try {
      while (!stopped) {
        const { done, value } = await iterator.next()
        if (done === true) return
        await work(value)
      }
    } catch (error) {
      stopped = true
      throw error
    }
  }
  const results = await Promise.allSettled(Array.from({ length: width }, worker))
  await iterator.return?.()
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
