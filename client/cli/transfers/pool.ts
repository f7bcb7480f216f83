/** What went wrong with one of many. */
export interface ItemFailure<T> {
  readonly item: T
  readonly error: unknown
}

export interface PoolOptions<T> {
  /** How many at once. */
  width: number
  signal: AbortSignal
  /** Told as soon as one fails; the others go on. */
  onFailure: (failure: ItemFailure<T>) => void
}

/**
 * Works on many things, a few at a time, taking the next one only when there is room. One failure does not stop the
 * others; an abort stops all.
 * @returns the failures
 * @throws the signal's reason, or what the source of the things throws
 */
export async function runPool<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  { width, signal, onFailure }: PoolOptions<T>,
): Promise<ItemFailure<T>[]> {
  const failures: ItemFailure<T>[] = []
  const running = new Set<Promise<void>>()
  for await (const item of items) {
    if (signal.aborted) break
    const one = workOn(item)
    running.add(one)
    void one.then(() => running.delete(one))
    if (running.size >= width) await Promise.race(running)
  }
  await Promise.all(running)
  signal.throwIfAborted()
  return failures

  async function workOn(item: T): Promise<void> {
    try {
      await work(item)
    } catch (error) {
      if (signal.aborted) return
      failures.push({ item, error })
      onFailure({ item, error })
    }
  }
}
