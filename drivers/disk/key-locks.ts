import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError } from '../errors.ts'
import { type NativeCalls, nativeCalls } from './native.ts'

/** Where a key is locked: a byte of a file, or on macOS, which locks whole files only, one file of several. */
interface Slot {
  readonly id: number
  readonly fd: number
  readonly offset: number
  readonly length: number
}

const stripes = process.platform === 'darwin' ? 64 : 1
const usualWaitMs = 10_000
/** How long this process hands one key from one of its own operations to the next before it lets others try. */
const maxStreakMs = 100

/** A key's turn within this process. */
interface Queue {
  since: number
  readonly waiting: Array<() => void>
}

/**
 * One operation at a time for each key, in this process and against every other over the same storage. Two keys
 * may share a slot (48 bits of a hash), which costs time only.
 */
export class KeyLocks {
  readonly #native: NativeCalls
  readonly #fds: readonly number[]
  readonly #maxWaitMs: number
  readonly #queues = new Map<number, Queue>()

  /** Opens, and where needed makes, the lock files in `folder`. They stay empty and are never removed. */
  static open(folder: string, maxWaitMs = usualWaitMs): KeyLocks {
    const locks = nativeCalls()
    const names = stripes === 1 ? ['locks'] : Array.from({ length: stripes }, (_, i) => `locks-${i}`)
    return new KeyLocks(
      locks,
      names.map((name) => openLockFile(`${folder}/${name}`)),
      maxWaitMs,
    )
  }

  private constructor(locks: NativeCalls, fds: readonly number[], maxWaitMs: number) {
    this.#native = locks
    this.#fds = fds
    this.#maxWaitMs = maxWaitMs
  }

  /**
   * Runs `task` while nothing else holds `key`. Keep what is slow, above all a client's body, outside of it.
   * @throws `busy` when the key is not free in time
   */
  async hold<T>(key: string, task: () => Promise<T>): Promise<T> {
    const slot = this.#slotOf(key)
    const deadline = Date.now() + this.#maxWaitMs
    const queue = await this.#enter(slot.id)
    try {
      await this.#lock(slot, queue, deadline)
      try {
        return await task()
      } finally {
        this.#native.unlock(slot.fd, slot.offset, slot.length)
      }
    } finally {
      this.#leave(slot.id, queue)
    }
  }

  close(): void {
    for (const fd of this.#fds) fs.closeSync(fd)
  }

  #slotOf(key: string): Slot {
    const hash = createHash('sha256').update(key).digest().readUIntBE(0, 6)
    const id = stripes === 1 ? hash : hash % stripes
    const fd = this.#fds[stripes === 1 ? 0 : id]
    if (fd === undefined) throw new DriverError('backend', 'the disk driver is closed')
    return stripes === 1 ? { id, fd, offset: id, length: 1 } : { id, fd, offset: 0, length: 0 }
  }

  /** Resolves when it is this caller's turn in this process. */
  async #enter(id: number): Promise<Queue> {
    const queue = this.#queues.get(id)
    if (queue === undefined) {
      const fresh = { since: Date.now(), waiting: [] }
      this.#queues.set(id, fresh)
      return fresh
    }
    await waitForTurn(queue, this.#maxWaitMs)
    return queue
  }

  #leave(id: number, queue: Queue): void {
    const next = queue.waiting.shift()
    if (next === undefined) this.#queues.delete(id)
    else next()
  }

  async #lock(slot: Slot, queue: Queue, deadline: number): Promise<void> {
    if (Date.now() - queue.since > maxStreakMs) {
      // Other processes poll every few milliseconds and would never find a key free that is handed on at once.
      await sleep(maxPollMs)
      queue.since = Date.now()
    }
    while (!this.#native.tryLock(slot.fd, slot.offset, slot.length)) {
      if (Date.now() > deadline) throw busy()
      // Polling, not a blocking call: that would take one of the few threads that the lock's holder needs.
      await sleep(1 + Math.random() * (maxPollMs - 1))
    }
  }
}

const maxPollMs = 5

function waitForTurn(queue: Queue, maxWaitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      queue.waiting.splice(queue.waiting.indexOf(turn), 1)
      reject(busy())
    }, maxWaitMs)
    queue.waiting.push(turn)
  })
}

function busy(): DriverError {
  return new DriverError('busy', 'another operation holds this name')
}

function openLockFile(path: string): number {
  return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0o666)
}

/** Takes a lock on a whole file, or answers `null` when somebody has it. It is held until the file is closed. */
export function tryLockFile(path: string): number | null {
  const fd = openLockFile(path)
  try {
    if (nativeCalls().tryLock(fd)) return fd
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
  fs.closeSync(fd)
  return null
}

/** {@link tryLockFile} until it is ours. @throws `busy` after ten seconds */
export async function lockFile(path: string): Promise<number> {
  const deadline = Date.now() + usualWaitMs
  for (;;) {
    const fd = tryLockFile(path)
    if (fd !== null) return fd
    if (Date.now() > deadline) throw busy()
    await sleep(1 + Math.random() * (maxPollMs - 1))
  }
}
