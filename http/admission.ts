import type { IncomingMessage, ServerResponse } from 'node:http'

/** How much one process takes upon itself. */
export interface AdmissionLimits {
  /** Requests under way in all, also those that wait for their client or for their turn. 0: no bound, no turns. */
  maxRequests: number
  /** Of them, those that are worked on at the same time; the others wait for their turn, first come first served. */
  maxAtWork: number
}

export const defaultAdmissionLimits: AdmissionLimits = { maxRequests: 1_000, maxAtWork: 128 }

export interface AdmissionOptions extends AdmissionLimits {
  /** Answers a request that is turned away: at once, and for next to nothing. */
  refuse: (req: IncomingMessage, res: ServerResponse) => void
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

export interface Admission {
  /** Runs `work` now, later or, where it is refused or its client goes away first, never. */
  enter(req: IncomingMessage, res: ServerResponse, work: () => void): void
  /** A connection has been accepted. */
  arrival(): void
  /** Requests that are under way, and those of them that wait for their turn. */
  counts(): { underWay: number; waiting: number }
}

/**
 * A request keeps its turn for so long at most: one that takes longer waits for its client or for the storage, and
 * not for this process. So neither slow uploads nor a slow storage keep others from their turn.
 */
const turnMs = 250

/** A burst may wait. A queue that does not go away within this time is no burst. */
const burstMs = 500

/**
 * Begun in one turn of the event loop at most. Whatever else is ready waits for that turn to end: refusals and answers
 * too, so it must be short.
 */
const maxBegunAtOnce = 8

/**
 * Node accepts one connection in a turn of the event loop. While connections come, work and refusals wait for so long at
 * most: else a thousand of them would wait for a thousand full turns before anybody so much as hears of them.
 */
const doorMs = 10

/** After a refusal the next burst is taken for more of the same for so long. */
const memoryMs = 2_000

interface Turn {
  beganMs: number
}

/**
 * Keeps a server quick when it is asked for more than it can do. Work beyond what can be done at the same time waits
 * in a line. Bursts are absorbed; when the line stands, newcomers are turned away at once, so that those who are let
 * in do not wait for long, and those who are not know it.
 */
export function admission(options: AdmissionOptions): Admission {
  const { maxRequests, maxAtWork, refuse, now = () => performance.now() } = options
  /** Those who have a turn, oldest first. */
  const atWork = new Set<Turn>()
  const line = new Set<() => void>()
  let underWay = 0
  let standingSinceMs: number | null = null
  let refusedMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  /** Of this turn of the event loop. */
  let begunAtOnce = 0
  let hasArrival = false
  /** Refusals that wait until nobody is at the door. */
  const held: (() => void)[] = []
  let heldSinceMs = 0
  let isEndDue = false
  let begunMs = Number.NEGATIVE_INFINITY

  const isFull = () => {
    if (underWay >= maxRequests) return true
    if (line.size < maxAtWork) return false
    const nowMs = now()
    standingSinceMs ??= nowMs
    return nowMs - standingSinceMs > burstMs || nowMs - refusedMs < memoryMs
  }

  const endOfLoop = () => {
    isEndDue = false
    begunAtOnce = 0
    refuseHeld()
    if (isDoorBusy()) endLater()
    else next()
    hasArrival = false
  }

  const endLater = () => {
    if (!isEndDue) setImmediate(endOfLoop)
    isEndDue = true
  }

  const isDoorBusy = () => hasArrival && now() - begunMs < doorMs

  /** Those who are at the door are let in first: whoever is refused comes again at once, and would be in their way. */
  const hold = (refusal: () => void) => {
    if (held.length === 0) heldSinceMs = now()
    held.push(refusal)
    endLater()
  }

  const refuseHeld = () => {
    if (held.length === 0) return
    if (hasArrival && now() - heldSinceMs < doorMs) return endLater()
    for (const refusal of held.splice(0)) refusal()
  }

  const isTurnFree = () =>
    begunAtOnce < maxBegunAtOnce && !isDoorBusy() && (atWork.size < maxAtWork || takeBack())

  const begin = (res: ServerResponse, work: () => void) => {
    begunAtOnce++
    endLater()
    const turn = { beganMs: now() }
    begunMs = turn.beganMs
    atWork.add(turn)
    res.once('close', () => {
      if (atWork.delete(turn)) next()
    })
    work()
  }

  /** Gives the turns that are free to those who wait longest. */
  const next = () => {
    for (const start of line) {
      if (!isTurnFree()) break
      line.delete(start)
      start()
    }
    if (line.size < maxAtWork) standingSinceMs = null
    if (line.size > 0) nextLater()
  }

  /** Takes the turn of the oldest, where it has had it for long enough. */
  const takeBack = () => {
    const [oldest] = atWork
    return oldest !== undefined && now() - oldest.beganMs >= turnMs && atWork.delete(oldest)
  }

  const nextLater = () => {
    const [oldest] = atWork
    if (timer !== null || oldest === undefined) return
    timer = setTimeout(
      () => {
        timer = null
        next()
      },
      Math.max(1, oldest.beganMs + turnMs - now()),
    )
    timer.unref()
  }

  return {
    enter(req, res, work) {
      if (maxRequests > 0 && isFull()) {
        refusedMs = now()
        return hasArrival ? hold(() => refuse(req, res)) : refuse(req, res)
      }
      underWay++
      res.once('close', () => underWay--)
      if (maxRequests === 0) return work()
      if (line.size === 0 && isTurnFree()) return begin(res, work)
      const start = () => begin(res, work)
      line.add(start)
      res.once('close', () => line.delete(start))
      nextLater()
    },
    arrival() {
      hasArrival = true
      endLater()
    },
    counts: () => ({ underWay, waiting: line.size }),
  }
}
