import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet, ServerProcess } from './fleet.ts'

/** Some hubs of which any may be asked, and any may be gone the next moment. */
export class Crew {
  readonly #fleet: Fleet
  readonly #hubs: ServerProcess[]
  /** How many ended, and how. */
  readonly ended = { SIGKILL: 0, SIGTERM: 0 }

  static async start(fleet: Fleet, size: number): Promise<Crew> {
    return new Crew(fleet, await Promise.all(Array.from({ length: size }, () => fleet.hub())))
  }

  constructor(fleet: Fleet, hubs: ServerProcess[]) {
    this.#fleet = fleet
    this.#hubs = hubs
  }

  get all(): readonly ServerProcess[] {
    return this.#hubs
  }

  /** Any of them. */
  any(): ServerProcess {
    const hub = this.#hubs[Math.floor(Math.random() * this.#hubs.length)]
    if (hub === undefined) throw new Error('no hub is there')
    return hub
  }

  /** Ends one after the other, most by SIGKILL, with a new one for each, until told to stop. */
  async churn(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const next = await this.#fleet.hub()
      await sleep(Math.random() * 300)
      const leaving = Math.floor(Math.random() * this.#hubs.length)
      const [former] = this.#hubs.splice(leaving, 1, next)
      const signal = Math.random() < 0.8 ? 'SIGKILL' : 'SIGTERM'
      await former?.end(signal)
      this.ended[signal]++
    }
  }
}
