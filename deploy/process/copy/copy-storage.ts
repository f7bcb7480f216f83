import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver } from '../../../drivers/driver.ts'
import { type Address, parseAddress } from '../../../drivers/key.ts'
import { copyKey, type KeyCopying } from './copy-key.ts'
import { RecordsCopy } from './copy-records.ts'
import type { Choices } from './decide.ts'
import { type CopyEvent, type CopyReport, count, emptyReport } from './events.ts'
import { joinListings, type Pair } from './join-listings.ts'
import type { Ledger } from './ledger.ts'
import type { Verification } from './transfer.ts'
import { forEachOf, Turns } from './turns.ts'

export interface CopyOptions extends Choices {
  source: Driver
  target: Driver
  /** `null` for all that the source has. */
  addresses: readonly Address[] | null
  ledger: Ledger
  verify: Verification
  /** Change nothing, and tell what would be changed. */
  dryRun: boolean
  /** How many files are copied at once, and how many addresses are looked at. */
  concurrency: number
  /**
   * How long a hub over the destination may go on by what it knew of revocations, in milliseconds: before a grant is
   * written, those that were new to the destination are that old.
   */
  settleMs: number
  /** Cache-Control to keep with files. */
  cacheControl: string
  /** Ends the copy once what is under way is done. */
  signal: AbortSignal
  onEvent: (event: CopyEvent) => void
  progress: CopyProgress
}

export interface CopyProgress {
  /** Whether anybody sees it: counting files costs a list of their names. */
  readonly isShown: boolean
  /** So many files more are there to be looked at. */
  found(files: number): void
  /** Bytes of a file that have come from the source so far. */
  moved(key: string, bytes: number): void
  /** A file of the source is done with, whatever became of it. */
  done(key: string): void
}

/** After so many failures in a row, without anything that worked between them, the storage is at fault. */
const maxFailuresInARow = 25

/** The copy was given up; `message` says why. */
export class CopyGivenUp extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CopyGivenUp'
  }
}

/**
 * Copies addresses from one storage to another: first what the owners of all have revoked, then, address by address,
 * their grants and their files. Both storages may be in use. Run again, it goes on where it was broken off, and brings over what has changed since.
 * @throws {CopyGivenUp}; {DriverError} where the addresses cannot be listed
 */
export async function copyStorage(options: CopyOptions): Promise<CopyReport> {
  return await new StorageCopy(options).run()
}

class StorageCopy {
  readonly #options: CopyOptions
  readonly #report = emptyReport()
  readonly #turns: Turns
  /** Addresses of which nothing more is copied. */
  readonly #failed = new Set<Address>()
  #failuresInARow = 0

  constructor(options: CopyOptions) {
    this.#options = options
    this.#turns = new Turns(options.concurrency)
  }

  async run(): Promise<CopyReport> {
    let isAnyWritten = false
    await this.#forEachAddress(async (address) => {
      const { written } = await this.#recordsOf(address, await this.#copyingOf(address)).copyEndings()
      isAnyWritten ||= written
      await this.#countFiles(address)
    })
    if (isAnyWritten) await this.#settle()
    await this.#forEachAddress(async (address) => {
      await this.#copyWhole(address)
      this.#report.addresses++
    })
    return this.#report
  }

  async #forEachAddress(work: (address: Address) => Promise<void>): Promise<void> {
    const { source, addresses, concurrency, signal } = this.#options
    const all = addresses === null ? addressesIn(source) : each(addresses)
    await forEachOf(all, concurrency, async (address) => {
      signal.throwIfAborted()
      if (this.#failed.has(address)) return
      try {
        await work(address)
      } catch (error) {
        signal.throwIfAborted()
        // What an owner has revoked must not be left behind, so without the records no file goes over.
        this.#failed.add(address)
        this.#fail({ what: 'address', key: address }, error)
      }
    })
  }

  async #countFiles(address: Address): Promise<void> {
    const { source, progress, signal } = this.#options
    if (!progress.isShown) return
    let cursor: string | null = null
    do {
      signal.throwIfAborted()
      const page: Awaited<ReturnType<Driver['list']>> = await source.list(`${address}/`, {
        limit: 1000,
        cursor,
      })
      progress.found(page.entries.length)
      cursor = page.cursor
    } while (cursor !== null)
  }

  async #settle(): Promise<void> {
    const { dryRun, settleMs, signal } = this.#options
    if (!dryRun) await sleep(settleMs, undefined, { signal })
  }

  async #copyingOf(address: Address): Promise<KeyCopying> {
    const { ledger, progress } = this.#options
    return {
      ...this.#options,
      ledger: await ledger.open(address),
      onBytes: (key, bytes) => progress.moved(key, bytes),
    }
  }

  #recordsOf(address: Address, copying: KeyCopying): RecordsCopy {
    return new RecordsCopy(copying, address, (key, outcome) =>
      this.#tell({ what: 'record', key, ...outcome }),
    )
  }

  async #copyWhole(address: Address): Promise<void> {
    const { source, target, concurrency, signal } = this.#options
    const copying = await this.#copyingOf(address)
    const records = this.#recordsOf(address, copying)
    let isEmpty = !(await records.copyGrants(() => this.#settle()))
    const files = joinListings(source, target, `${address}/`)
    await forEachOf(files, concurrency, async (pair) => {
      signal.throwIfAborted()
      isEmpty &&= pair.source === null
      await this.#turns.take(() => this.#copyFile(copying, pair))
    })
    if (isEmpty && this.#options.addresses !== null)
      throw new Error('the source holds nothing of this address')
    // Files take long: what was revoked meanwhile must not wait for the next run.
    await records.copyEndings(true)
  }

  async #copyFile(copying: KeyCopying, pair: Pair): Promise<void> {
    try {
      const outcome = await copyKey(copying, pair)
      if (outcome !== null) this.#tell({ what: 'file', key: pair.key, ...outcome })
    } catch (error) {
      this.#fail({ what: 'file', key: pair.key }, error)
    } finally {
      if (pair.source !== null) this.#options.progress.done(pair.key)
    }
  }

  #tell(event: CopyEvent): void {
    this.#failuresInARow = 0
    count(this.#report, event)
    this.#options.onEvent(event)
  }

  #fail(of: Pick<CopyEvent, 'what' | 'key'>, error: unknown): void {
    if (error instanceof CopyGivenUp) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const event: CopyEvent = { ...of, action: 'failed', reason }
    count(this.#report, event)
    this.#options.onEvent(event)
    this.#failuresInARow++
    if (this.#failuresInARow < maxFailuresInARow) return
    throw new CopyGivenUp(`${maxFailuresInARow} failures in a row, the last one: ${reason}`)
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Every address of which a storage holds files or records. The two buckets of one come one after the other. */
async function* addressesIn(driver: Driver): AsyncGenerator<Address> {
  let cursor: string | null = null
  let last = ''
  do {
    const page: Awaited<ReturnType<Driver['listBuckets']>> = await driver.listBuckets({ limit: 1000, cursor })
    for (const bucket of page.buckets) {
      const address = bucket.replace(/-auth$/, '')
      if (address !== last) yield parseAddress(address)
      last = address
    }
    cursor = page.cursor
  } while (cursor !== null)
}
