/** Tries an assertion again until it holds, and throws its own error when it does not within `withinMs`. */
export async function eventually(assertion: () => Promise<void>, withinMs = 3_000): Promise<void> {
  const endMs = performance.now() + withinMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (performance.now() > endMs) throw error
      await sleep(10)
    }
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
