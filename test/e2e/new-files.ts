import { expect } from 'chai'
import { alice, v1 } from '../delegation/people.ts'
import { storeAnywhere, type Tally } from './attempts.ts'
import type { Crew } from './crew.ts'
import { readFrom } from './http.ts'

interface Stored {
  path: string
  size: number
  /** Of the answer; `null` where the connection broke. */
  etag: string | null
}

/** Files that are each stored once, without a condition: what was answered must be there, and all that is there, whole. */
export class NewFiles {
  readonly #crew: Crew
  readonly #readerUrl: string
  readonly #tally: Tally
  readonly #authorization = `Bearer ${v1(alice)}`
  readonly #stored: Stored[] = []

  constructor(crew: Crew, readerUrl: string, tally: Tally) {
    this.#crew = crew
    this.#readerUrl = readerUrl
    this.#tally = tally
  }

  get size(): number {
    return this.#stored.length
  }

  /** @param bytesOf the length of the n-th file */
  async store(writer: string, bytesOf: (n: number) => number, isOver: () => boolean): Promise<void> {
    for (let n = 0; !isOver(); n++) {
      const path = `new/${writer}/${n}`
      const size = bytesOf(n)
      const headers = { authorization: this.#authorization, 'content-type': `of/${n}` }
      const target = `${alice.address}/${path}`
      const answer = await storeAnywhere(this.#crew, this.#tally, target, headers, contentOf(path, size))
      if (answer !== null && answer.status !== 202) throw new Error(`${path}: ${JSON.stringify(answer)}`)
      const stored = { path, size, etag: answer === null ? null : String(answer.body.etag) }
      this.#stored.push(stored)
      await this.#check(stored)
    }
  }

  /** All that was answered is there, and nothing of it is torn. */
  async check(): Promise<void> {
    for (const stored of this.#stored) await this.#check(stored)
  }

  async #check({ path, size, etag }: Stored): Promise<void> {
    const found = await readFrom(this.#readerUrl, `${alice.address}/${path}`)
    if (etag === null && found.status === 404) return
    expect(found.status, path).to.equal(200)
    expect(found.contentType, path).to.equal(`of/${path.split('/').at(-1)}`)
    if (etag !== null) expect(found.etag, path).to.equal(etag)
    expect(found.body.equals(contentOf(path, size)), `${path} whole`).to.equal(true)
  }
}

function contentOf(path: string, size: number): Buffer {
  return Buffer.alloc(size, `${path};`)
}
