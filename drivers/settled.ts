/** What all of them come to, or the first error; not before the last one has ended, so that none goes on unwatched. */
export async function settled<const T extends readonly Promise<unknown>[]>(
  all: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(all)
  return await Promise.all(all)
}
