import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { type Address, authKey, compareKeys, type Key } from '../../../drivers/key.ts'
import { grantsFolder } from '../../../hub/auth/records/grants.ts'
import { revocationsFolder } from '../../../hub/auth/records/revocations.ts'
import { lookAtTimestamp, raiseTimestamp, type StoredTimestamp } from '../../../hub/auth/records/timestamp.ts'
import { copyKey, type KeyCopying, type Outcome } from './copy-key.ts'
import { type Item, type Pair, walk } from './join-listings.ts'
import { ChangedMeanwhile, transfer } from './transfer.ts'

/** What is done with each record, one after the other. */
export type TellRecord = (key: Key, outcome: Outcome) => void

export interface Endings {
  /** Whether the source has any. */
  any: boolean
  /** Whether any was new to the destination. */
  written: boolean
}

/**
 * What an owner has said, as the hub keeps it beside the files (PROTOCOL 2.5). Nothing here is ever lowered, replaced
 * or taken away at the destination, and nothing is honoured there that is revoked at the source: the grants that are
 * carried over are those that were there before the revocations were listed, and they go after these.
 */
export class RecordsCopy {
  readonly #copying: KeyCopying
  readonly #address: Address
  readonly #tell: TellRecord

  constructor(copying: KeyCopying, address: Address, tell: TellRecord) {
    // A record has one content for all time, so there is nothing to choose; nobody is served one by its URL; and it is
    // no file whose bytes are counted.
    const { cacheControl: _, onBytes: __, ...rest } = copying
    this.#copying = { ...rest, overwrite: false, deleteGone: false }
    this.#address = address
    this.#tell = tell
  }

  /**
   * The oldest valid timestamp and the revocations: what ends rights. May be done again, to catch those made
   * meanwhile; then only new ones are told of.
   * @throws {DriverError} at the first that cannot be carried over: what follows must not be without it
   */
  async copyEndings(again = false): Promise<Endings> {
    const written: boolean[] = []
    const tell = (key: Key, outcome: Outcome) => {
      const isWritten = outcome.action === 'copied' || outcome.action === 'updated'
      written.push(isWritten)
      // What a dry run does not write is missing each time.
      const isKnown = again && (!isWritten || this.#copying.dryRun)
      if (!isKnown) this.#tell(key, outcome)
    }
    const timestamp = await this.#copyTimestamp()
    if (timestamp !== null) tell(authKey(this.#address, 'authTimestamp'), timestamp)
    const { pairs, there } = await this.#missing(`${revocationsFolder}/`, () => true)
    for (const pair of pairs) tell(pair.key, await this.#copyOnce(pair))
    for (const key of there) tell(key, { action: 'there' })
    return { any: written.length > 0, written: written.includes(true) }
  }

  /**
   * Everything else, once the endings have been carried over, those that are new by now included.
   * @param settle resolves when every hub at the destination knows of the endings that were written just now
   * @returns whether the source has any records
   * @throws {DriverError}
   */
  async copyGrants(settle: () => Promise<void>): Promise<boolean> {
    const { pairs, there } = await this.#missing('', (name) => !isEnding(name))
    const endings = await this.copyEndings(true)
    if (endings.written && pairs.length > 0) await settle()
    for (const pair of pairs) this.#tell(pair.key, await this.#copyOther(pair))
    for (const key of there) this.#tell(key, { action: 'there' })
    return endings.any || pairs.length + there.length > 0
  }

  /** It only rises, also against a hub that raises it at the same time. */
  async #copyTimestamp(): Promise<Outcome | null> {
    const { source, target, dryRun } = this.#copying
    const here = await lookAtTimestamp(source, this.#address)
    if (here.seconds === null) return null
    const there = await lookAtTimestamp(target, this.#address)
    if (heightOf(there) > heightOf(here) && there.seconds === 'unreadable') {
      return {
        action: 'conflict',
        reason: 'no number is at the destination, which ends all writing; it stays',
      }
    }
    if (heightOf(there) >= heightOf(here)) return { action: 'there' }
    if (!dryRun) {
      if (here.seconds === 'unreadable') await this.#copyUnreadable(here, there)
      else await raiseTimestamp(target, this.#address, here.seconds)
      if (heightOf(await lookAtTimestamp(target, this.#address)) < heightOf(here)) {
        throw new DriverError('backend', 'the destination does not hold the timestamp that was written to it')
      }
    }
    return { action: there.seconds === null ? 'copied' : 'updated' }
  }

  /** @throws {DriverError} `precondition_failed` where a side has changed since: left for another run */
  async #copyUnreadable(here: StoredTimestamp, there: StoredTimestamp): Promise<void> {
    const { source, target } = this.#copying
    const key = authKey(this.#address, 'authTimestamp')
    const found = await source.read(key, here.etag === null ? {} : { ifMatch: here.etag })
    if (found === null)
      throw new DriverError('precondition_failed', 'the timestamp was taken away at the source')
    await target.write(key, found.body, {
      contentType: found.info.contentType,
      size: found.info.size,
      condition: there.etag === null ? { ifNoneMatch: '*' } : { ifMatch: there.etag },
    })
  }

  /** Records of the source, apart by whether the destination has one of that name. */
  async #missing(
    folder: string,
    isWanted: (name: string) => boolean,
  ): Promise<{ pairs: Pair[]; there: Key[] }> {
    const { source, target } = this.#copying
    const prefix = `${this.#address}-auth/${folder}`
    const wanted = await all(source, prefix, (key) => isWanted(key.slice(`${this.#address}-auth/`.length)))
    if (wanted.length === 0) return { pairs: [], there: [] }
    const held = new Map((await all(target, prefix, () => true)).map(({ key, info }) => [key, info]))
    const pairs = wanted.map(({ key, info }) => ({ key, source: info, target: held.get(key) ?? null }))
    const isThere = ({ key, target: info }: Pair) => info !== null && isWrittenOnce(key)
    return {
      pairs: pairs.filter((pair) => !isThere(pair)).sort((a, b) => compareKeys(a.key, b.key)),
      there: pairs.filter(isThere).map(({ key }) => key),
    }
  }

  async #copyOther(pair: Pair): Promise<Outcome> {
    if (isWrittenOnce(pair.key)) return await this.#copyOnce(pair)
    // A kind that this version does not know: as careful as with a file.
    return (await copyKey(this.#copying, pair)) ?? { action: 'there' }
  }

  async #copyOnce({ key, source }: Pair): Promise<Outcome> {
    if (source === null) return { action: 'there' }
    if (this.#copying.dryRun) return { action: 'copied', bytes: source.size }
    try {
      await transfer(this.#copying, key, source, { ifNoneMatch: '*' })
      return { action: 'copied', bytes: source.size }
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error
    }
    // Written once on both sides: a hub at the destination was faster, or the source has swept it since.
    if ((await this.#copying.target.stat(key)) !== null) return { action: 'there' }
    if ((await this.#copying.source.stat(key)) === null) return { action: 'gone' }
    throw new DriverError('busy', 'the record is being changed at the source, where it should never be')
  }
}

/** What is no number ends all writing at the address, which goes further than any number does. */
function heightOf({ seconds }: StoredTimestamp): number {
  if (seconds === null) return Number.NEGATIVE_INFINITY
  return seconds === 'unreadable' ? Number.POSITIVE_INFINITY : seconds
}

/** By the name below the address's records. */
function isEnding(name: string): boolean {
  return name === 'authTimestamp' || name.startsWith(`${revocationsFolder}/`)
}

/** Whether a record's name stands for its content, so that one that is there is the right one. */
function isWrittenOnce(key: Key): boolean {
  return new RegExp(`^[^/]+/(${grantsFolder}|${revocationsFolder})/`).test(key)
}

async function all(driver: Driver, prefix: string, isWanted: (key: Key) => boolean): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of walk(driver, prefix)) if (isWanted(item.key)) found.push(item)
  return found
}
