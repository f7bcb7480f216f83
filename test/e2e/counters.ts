import { expect } from 'chai'
import { alice, v1 } from '../delegation/people.ts'
import { storeAnywhere, type Tally } from './attempts.ts'
import type { Crew } from './crew.ts'
import { readFrom } from './http.ts'

/** What one counter holds: how far each writer has counted. */
type Counts = Record<string, number>

interface Found {
  counts: Counts
  etag: string
}

/**
 * Files in which many writers count at once, each in its own place, by reading, adding one, and storing under the etag
 * that was read. An update that is lost, comes twice or is torn shows.
 */
export class Counters {
  readonly #crew: Crew
  readonly #readerUrl: string
  readonly #tally: Tally
  readonly #names: readonly string[]
  readonly #authorization = `Bearer ${v1(alice)}`
  /** How far each writer is known to have counted, by counter and writer. */
  readonly #known = new Map<string, Counts>()

  constructor(crew: Crew, readerUrl: string, tally: Tally, size: number) {
    this.#crew = crew
    this.#readerUrl = readerUrl
    this.#tally = tally
    this.#names = Array.from({ length: size }, (_, i) => `counters/${i}`)
    for (const name of this.#names) this.#known.set(name, {})
  }

  get total(): number {
    return [...this.#known.values()].reduce((sum, counts) => sum + totalOf(counts), 0)
  }

  /** One writer at work, on one counter after the other. */
  async count(writer: string, isOver: () => boolean): Promise<void> {
    for (let turn = Number(writer.slice(1)); !isOver(); turn++) {
      const name = this.#names[turn % this.#names.length]
      if (name !== undefined) await this.#increment(name, writer)
    }
  }

  /** Every counter is exactly where its writers have brought it. */
  async check(): Promise<void> {
    for (const name of this.#names) {
      expect((await this.#read(name)).counts, name).to.deep.equal(this.#known.get(name))
    }
  }

  /** Tries until it is known to be done, whatever becomes of hubs meanwhile. */
  async #increment(name: string, writer: string): Promise<void> {
    const known = this.#known.get(name) ?? {}
    const goal = (known[writer] ?? 0) + 1
    for (;;) {
      const { counts, etag } = await this.#read(name)
      const found = counts[writer] ?? 0
      expect(found, `${writer} in ${name}: an update is gone, or came twice`).to.be.within(goal - 1, goal)
      // One whose answer was lost had been carried out.
      if (found === goal) break
      const condition = etag === '' ? { 'if-none-match': '*' } : { 'if-match': etag }
      const body = encode({ ...counts, [writer]: goal })
      const headers = { authorization: this.#authorization, 'content-type': 'application/json', ...condition }
      const answer = await storeAnywhere(this.#crew, this.#tally, `${alice.address}/${name}`, headers, body)
      if (answer?.status === 202) break
      if (answer !== null && ![409, 412, 503].includes(answer.status)) {
        throw new Error(`${name}: ${JSON.stringify(answer)}`)
      }
    }
    known[writer] = goal
  }

  async #read(name: string): Promise<Found> {
    const { status, etag, body } = await readFrom(this.#readerUrl, `${alice.address}/${name}`)
    if (status === 404) return { counts: {}, etag: '' }
    expect(status).to.equal(200)
    return { counts: decode(body), etag: etag ?? 'none' }
  }
}

function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Its length says what stands in it, so that no piece of another version goes unseen. */
function paddingOf(counts: Counts): string {
  return 'x'.repeat((totalOf(counts) * 7919) % 20_000)
}

function encode(counts: Counts): Buffer {
  return Buffer.from(JSON.stringify({ counts, padding: paddingOf(counts) }))
}

function decode(body: Buffer): Counts {
  const { counts } = JSON.parse(body.toString()) as { counts: Counts }
  expect(body.equals(encode(counts)), 'a counter that is of one version').to.equal(true)
  return counts
}
