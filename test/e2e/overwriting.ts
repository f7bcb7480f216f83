import { expect } from 'chai'
import { contentOf, typeOf, versionOf } from '../drivers/versions.ts'
import { readFrom } from './http.ts'

/** A type that says which version it belongs to; versions differ much in its length. */
function contentTypeOf(version: number): string {
  return `${typeOf(version)};pad=${'x'.repeat(1 + ((version * 37) % 400))}`
}

/** Reads one file at a reader, and fails on anything but a whole version with its own type and etag. */
export class Watch {
  readonly #readerUrl: string
  readonly #target: string
  /** The version that each etag belongs to, as hubs and reader told it. */
  readonly #versions = new Map<string, number>()
  /** The newest version that was answered 202 or read. */
  #newest = 0
  #looks = 0

  constructor(readerUrl: string, target: string) {
    this.#readerUrl = readerUrl
    this.#target = target
  }

  /** The newest version that is known to be there, or was. */
  get newest(): number {
    return this.#newest
  }

  get looks(): number {
    return this.#looks
  }

  /** From now on nobody may read an older one. */
  stored(version: number): void {
    this.#newest = Math.max(this.#newest, version)
  }

  /** One etag is of one version, wherever it is told. */
  learn(etag: unknown, version: number): void {
    if (typeof etag !== 'string') throw new Error(`version ${version} has no etag`)
    expect(this.#versions.get(etag) ?? version, 'an etag of another version').to.equal(version)
    this.#versions.set(etag, version)
  }

  /** The version that is there. */
  async look(): Promise<number> {
    const atLeast = this.#newest
    const { status, contentType, contentLength, etag, body } = await readFrom(this.#readerUrl, this.#target)
    expect(status, 'status of the read').to.equal(200)
    const version = versionOf(contentType?.split(';')[0] ?? '')
    expect(contentType, 'content type').to.equal(contentTypeOf(version))
    if (!body.equals(contentOf(version))) {
      throw new Error(
        `${body.length} bytes that begin ${body.toString('utf8', 0, 9)} are typed ${contentType}`,
      )
    }
    expect(contentLength).to.equal(body.length)
    this.learn(etag, version)
    expect(version, 'a version that was answered or read is gone').to.be.at.least(atLeast)
    this.stored(version)
    this.#looks += 1
    return version
  }

  /** Looks again and again while something else goes on; fails as soon as either does. */
  async during(something: Promise<void>): Promise<void> {
    let over = false
    const ended = something.finally(() => {
      over = true
    })
    const looking = async () => {
      while (!over) await this.look()
    }
    await Promise.all([ended, looking()])
  }
}

/** Stores one version. */
export async function storeVersion(
  url: string,
  authorization: string,
  watch: Watch,
  version: number,
): Promise<void> {
  const headers = { authorization, 'content-type': contentTypeOf(version) }
  const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(contentOf(version)) })
  expect(response.status, 'status of the store').to.equal(202)
  watch.stored(version)
  watch.learn(((await response.json()) as { etag?: unknown }).etag, version)
}

export interface Overwriting {
  /** Resolves when the first version was answered 202. */
  begun: Promise<void>
  /** From now on the connection may break. */
  expectEnd(): void
  /** Resolves with the last version that was sent, once the connection broke; rejects where it may not. */
  over: Promise<number>
}

/** Stores one version after the other at one hub, until the hub is gone. */
export function overwrite(url: string, authorization: string, watch: Watch, first: number): Overwriting {
  let mayEnd = false
  let version = first
  const begun = storeVersion(url, authorization, watch, version)
  const goOn = async () => {
    for (;;) {
      version += 1
      await storeVersion(url, authorization, watch, version)
    }
  }
  const over = begun.then(goOn).catch((error: unknown) => {
    // What fetch throws where the connection breaks.
    if (mayEnd && error instanceof TypeError) return version
    throw error
  })
  return {
    begun,
    over,
    expectEnd() {
      mayEnd = true
    },
  }
}
