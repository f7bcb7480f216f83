/**
 * Decoding a token and verifying its signature each keep the event loop busy for up to a millisecond or two. All of
 * it that a process does at one time takes turns here, a millisecond's worth for each turn of the loop: however many
 * long chains arrive together, everything else goes on in between, and each chain gets its share in the order of
 * asking.
 */

const budgetMs = 1

const waiting: Array<() => void> = []
/** When the work of this turn of the loop began; `null` while nobody has done any. */
let beganMs: number | null = null

/**
 * Resolves when the caller may do one piece of work, in the very next microtask: at once where nobody waits and this
 * turn of the loop has time left.
 */
export function takeTurn(): Promise<void> {
  if (beganMs === null) {
    beganMs = performance.now()
    setImmediate(nextTurn)
  } else if (waiting.length > 0 || isSpent()) {
    return new Promise((resolve) => waiting.push(resolve))
  }
  return Promise.resolve()
}

function isSpent(): boolean {
  return beganMs !== null && performance.now() - beganMs >= budgetMs
}

function nextTurn(): void {
  if (waiting.length === 0) {
    beganMs = null
    return
  }
  beganMs = performance.now()
  setImmediate(nextTurn)
  letNextWork()
}

/** Lets those who wait work one after the other, until the time of this turn is spent. */
function letNextWork(): void {
  const next = waiting.shift()
  if (next === undefined) return
  next()
  // This runs after the piece of work that was just let go on.
  queueMicrotask(() => {
    if (!isSpent()) letNextWork()
  })
}
