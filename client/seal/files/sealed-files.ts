import type { Connection } from '../../connection.ts'
import { addressOfDid } from '../../did.ts'
import { MandateError } from '../../errors.ts'
import type { CallOptions } from '../../files/files.ts'
import type { FormerVersion } from '../../files/history.ts'
import type { PutData } from '../../files/source.ts'
import type { Recipient } from '../envelope.ts'
import type { OpeningKey } from '../opening-key.ts'
import type { SealFor } from '../seal-for.ts'
import { type ChangeOptions, rewrap } from './change.ts'
import { type CheckResult, checkFolder } from './check.ts'
import type { Committed } from './commit.ts'
import { contextAt, type SealContext, type SealOptions, sealContext } from './context.ts'
import { deleteSealed } from './delete.ts'
import { type FolderOptions, type FolderResult, forEachSealed } from './folder.ts'
import { addMembers, createGroup, refreshGroup, removeMembers } from './groups.ts'
import { type PublishedKeys, publishKeys } from './identity.ts'
import { type OpenOptions, openObject } from './open.ts'
import {
  describe,
  type ReadOptions,
  readBytes,
  readStream,
  type SealedBytes,
  type SealedFile,
  type SealedStream,
} from './read.ts'
import { eachOnce } from './resolve.ts'
import { restoreSealed } from './restore.ts'
import { share } from './share.ts'
import { type SharedFile, sharedBy, tell } from './shared-index.ts'
import { type SweepOptions, sweepContents } from './sweep.ts'
import { unshare } from './unshare.ts'
import { type SealedPut, type SealPutOptions, writeSealed } from './write.ts'

/** A change of every sealed file below a prefix. */
export type FolderChangeOptions = FolderOptions & Pick<ChangeOptions, 'sealers' | 'keepHistory'>

/** Files at one address that only their recipients can read; see docs/sealed-files.md. */
export interface SealedFiles {
  readonly connection: Connection
  /** The same keys and memory at another address. */
  at(address: string): SealedFiles

  /**
   * Seals and stores a file. What this connection has not seen is not overwritten, as with `Connection.put`.
   * @throws {SealError} `no-encryption-key`, `key-changed`, `unconfirmed-key`
   */
  put(path: string, data: PutData, options?: SealPutOptions & { index?: boolean }): Promise<SealedPut>

  /** Opens a file in memory. @throws {SealError}, {NotFoundError} */
  get(path: string, options?: ReadOptions): Promise<SealedBytes>
  /** Opens a file as a stream. @throws {SealError}, {NotFoundError} */
  stream(path: string, options?: ReadOptions): Promise<SealedStream>
  /** What is known of a file that one can open, without its content. */
  head(path: string, options?: OpenOptions): Promise<SealedFile>

  /** Deletes a file and its content; what is kept as history stays. @returns whether there was one */
  delete(path: string, options?: CallOptions): Promise<boolean>

  /** Adds recipients; only the envelope is written. @returns `null` where all of them could open it already */
  share(path: string, sealFor: readonly SealFor[], options?: ChangeOptions): Promise<Committed | null>
  /** The same for every sealed file below a prefix; groups get no new members by it, but their members' new keys. */
  shareAll(prefix: string, sealFor: readonly SealFor[], options?: FolderChangeOptions): Promise<FolderResult>

  /**
   * Removes recipients: the file is sealed anew under a new key; a group gets a new key. What they have read before cannot be unread, and a
   * right to write is not taken away by it.
   * @returns `null` where none of them was a recipient
   */
  unshare(path: string, removed: readonly SealFor[], options?: ChangeOptions): Promise<Committed | null>
  /** The same for every sealed file below a prefix; whatever stops it, calling it again goes on. */
  unshareAll(
    prefix: string,
    removed: readonly SealFor[],
    options?: FolderChangeOptions,
  ): Promise<FolderResult>

  /** Who can open a file, for one who can. */
  recipients(path: string, options?: OpenOptions): Promise<readonly Recipient[]>
  /** What others have sealed for a key at hand: the owners of these addresses, or of these DIDs. */
  sharedWithMe(by: readonly string[]): AsyncIterable<SharedFile>

  /** Publishes, signed, the key that others are to seal for, or recovery keys. */
  publishKeys(keys: PublishedKeys): Promise<void>
  /** Makes a group, and publishes its public key with it. `group` is its name in `sealFor`. */
  createGroup(path: string, members: readonly SealFor[]): Promise<SealedPut & { group: string }>
  /** Adds members: they open what is sealed for the group, also what was sealed before. */
  addMembers(group: string, members: readonly SealFor[]): Promise<Committed | null>
  /** Removes members and gives the group a new key; `refreshGroup` seals anew what the old one opens. */
  removeMembers(group: string, members: readonly SealFor[]): Promise<Committed | null>
  /** Seals anew, below a prefix, what a former key of the group opens. */
  refreshGroup(group: string, prefix: string, options?: FolderChangeOptions): Promise<FolderResult>

  /**
   * Publishes a new key in place of the old and wraps, below the prefix, for the new one what is sealed for the old, or
   * for any of several. All must be among the keys at hand. Whatever stops it, calling it again goes on.
   */
  rotate(
    from: OpeningKey | readonly OpeningKey[],
    to: OpeningKey,
    options?: FolderChangeOptions & { prefix?: string },
  ): Promise<FolderResult>
  /** Makes a former version, kept by `keepHistory`, the present one, for those who can open the present one. */
  restore(version: FormerVersion, options?: Pick<OpenOptions, 'signal' | 'sealers'>): Promise<SealedPut>
  /** Tries, below a prefix, which files the keys at hand open. For a drill: with the recovery key alone. */
  check(prefix: string, options?: FolderOptions): Promise<CheckResult>
  /** Deletes contents that no envelope names any more. */
  sweep(prefix?: string, options?: SweepOptions): Promise<string[]>
}

/** Sealed files over a connection. */
export function sealedFiles(connection: Connection, options: SealOptions = {}): SealedFiles {
  return new SealedFilesOver(sealContext(connection, options))
}

class SealedFilesOver implements SealedFiles {
  readonly #context: SealContext

  constructor(context: SealContext) {
    this.#context = context
  }

  get connection(): Connection {
    return this.#context.connection
  }

  at(address: string): SealedFiles {
    return new SealedFilesOver(contextAt(this.#context, address))
  }

  async put(
    path: string,
    data: PutData,
    options: SealPutOptions & { index?: boolean } = {},
  ): Promise<SealedPut> {
    const done = await writeSealed(this.#context, path, data, options)
    if (options.index !== false) await this.#tell(done.recipients, path, true)
    return done
  }

  get(path: string, options?: ReadOptions): Promise<SealedBytes> {
    return readBytes(this.#context, path, options)
  }

  stream(path: string, options?: ReadOptions): Promise<SealedStream> {
    return readStream(this.#context, path, options)
  }

  async head(path: string, options?: OpenOptions): Promise<SealedFile> {
    const object = await openObject(this.#context, path, options)
    await object.rest.return(undefined)
    return describe(object)
  }

  delete(path: string, options?: CallOptions): Promise<boolean> {
    return deleteSealed(this.#context, path, options)
  }

  async share(
    path: string,
    sealFor: readonly SealFor[],
    options?: ChangeOptions & { exceptGroups?: boolean },
  ): Promise<Committed | null> {
    const { done, added } = await share(this.#context, path, sealFor, options)
    await this.#tell(added, path, true)
    return done
  }

  shareAll(
    prefix: string,
    sealFor: readonly SealFor[],
    options: FolderChangeOptions = {},
  ): Promise<FolderResult> {
    const change = { ...changeOf(options), exceptGroups: true }
    return this.#each(prefix, async (path) => (await this.share(path, sealFor, change)) !== null, options)
  }

  async unshare(
    path: string,
    removed: readonly SealFor[],
    options?: ChangeOptions,
  ): Promise<Committed | null> {
    const { done, gone } = await unshare(this.#context, path, removed, options)
    await this.#tell(gone, path, false)
    return done
  }

  unshareAll(
    prefix: string,
    removed: readonly SealFor[],
    options: FolderChangeOptions = {},
  ): Promise<FolderResult> {
    const change = changeOf(options)
    return this.#each(prefix, async (path) => (await this.unshare(path, removed, change)) !== null, options)
  }

  async recipients(path: string, options?: OpenOptions): Promise<readonly Recipient[]> {
    const object = await openObject(this.#context, path, options)
    await object.rest.return(undefined)
    return object.opened.recipients
  }

  sharedWithMe(by: readonly string[]): AsyncIterable<SharedFile> {
    return sharedBy(
      this.#context,
      by.map((one) => (one.startsWith('did:') ? addressOfDid(one) : one)),
    )
  }

  publishKeys(keys: PublishedKeys): Promise<void> {
    return publishKeys(this.#context, keys)
  }

  createGroup(path: string, members: readonly SealFor[]): Promise<SealedPut & { group: string }> {
    return createGroup(this.#context, path, members)
  }

  async addMembers(group: string, members: readonly SealFor[]): Promise<Committed | null> {
    return addMembers(this.#context, group, members)
  }

  removeMembers(group: string, members: readonly SealFor[]): Promise<Committed | null> {
    return removeMembers(this.#context, group, members)
  }

  refreshGroup(group: string, prefix: string, options?: FolderChangeOptions): Promise<FolderResult> {
    return refreshGroup(this.#context, group, prefix, options)
  }

  async rotate(
    from: OpeningKey | readonly OpeningKey[],
    to: OpeningKey,
    options: FolderChangeOptions & { prefix?: string } = {},
  ): Promise<FolderResult> {
    const { did } = this.connection
    await publishKeys(this.#context, { key: to })
    const old = new Set([from].flat().map((key) => key.did))
    const choose = (present: readonly Recipient[]) => {
      if (!present.some(({ key }) => old.has(key))) return null
      return eachOnce(present.map((one) => (old.has(one.key) ? { did, ...one, key: to.did } : one)))
    }
    const change = changeOf(options)
    const { prefix = '' } = options
    return this.#each(prefix, async (path) => (await rewrap(this.#context, path, choose, change)) !== null, {
      ...options,
      withIndex: true,
    })
  }

  restore(version: FormerVersion, options?: Pick<OpenOptions, 'signal' | 'sealers'>): Promise<SealedPut> {
    return restoreSealed(this.#context, version, options)
  }

  check(prefix: string, options: FolderOptions = {}): Promise<CheckResult> {
    return checkFolder(this.#context, prefix, options)
  }

  sweep(prefix = '', options?: SweepOptions): Promise<string[]> {
    return sweepContents(this.#context, prefix, options)
  }

  #each(
    prefix: string,
    change: (path: string) => Promise<boolean>,
    options: Parameters<typeof forEachSealed>[3],
  ): Promise<FolderResult> {
    return forEachSealed(this.#context, prefix, change, options)
  }

  async #tell(recipients: readonly Recipient[], path: string, isShared: boolean): Promise<void> {
    try {
      await tell(this.#context, recipients, { address: this.connection.address, path }, isShared)
    } catch (error) {
      if (!(error instanceof MandateError)) throw error
      this.#context.onIndexError?.(error)
    }
  }
}

function changeOf({ sealers, keepHistory, signal }: FolderChangeOptions): ChangeOptions {
  return {
    signal,
    ...(sealers === undefined ? {} : { sealers }),
    ...(keepHistory === undefined ? {} : { keepHistory }),
  }
}
