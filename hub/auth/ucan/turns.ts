/**
 * Decoding a token and verifying its signature each keep the event loop busy for up to a millisecond or two. All of
 * it that a process does at one time takes turns here, one piece for each turn of the loop: however many long chains
 * arrive together, everything else goes on between two pieces, and each chain gets its share in the order of asking.
 */

const waiting: Array<() => void> = []
let isTaken = false

/** Resolves when the caller may do one piece of work; at once where nobody else did any in this turn of the loop. */
export function takeTurn(): Promise<void> {
  if (isTaken) return new Promise((resolve) => waiting.push(resolve))
  isTaken = true
  setImmediate(passOn)
  return Promise.resolve()
}

function passOn(): void {
  const next = waiting.shift()
  if (next === undefined) {
    isTaken = false
    return
  }
  setImmediate(passOn)
  next()
}
