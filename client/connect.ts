import type { Connection } from './connection.ts'
import type { DelegateOptions } from './delegation/delegate.ts'
import { delegateAt } from './delegation/delegate-at.ts'
import { Delegation } from './delegation/delegation.ts'
import { InvalidInputError } from './errors.ts'
import { type DeleteOptions, deleteFile } from './files/delete.ts'
import type { FileInfo, FileStream, NotModified, StoredFile } from './files/file.ts'
import type { CallOptions, Files } from './files/files.ts'
import { headFile } from './files/head.ts'
import { type FormerVersion, historyOf } from './files/history.ts'
import { type ListOptions, listFiles, listPaths } from './files/list.ts'
import { type PutOptions, type PutResult, putFile } from './files/put.ts'
import { type GetOptions, openFile, readUnlessSame } from './files/read.ts'
import { restoreVersion } from './files/restore.ts'
import type { PutData } from './files/source.ts'
import { type Change, type UpdateOptions, updateFile } from './files/update.ts'
import { Versions } from './files/versions.ts'
import { depositGrant, type Grant, type GrantCallOptions } from './grants/grant.ts'
import { type ListedGrant, type ListGrantsOptions, listGrants } from './grants/list-grants.ts'
import { revokeDelegation } from './grants/revoke.ts'
import { revokeAllTokens } from './grants/revoke-all.ts'
import { type Sealer, type Sealing, sealedType } from './sealing.ts'
import type { Signer } from './signers/signer.ts'
import type { RetryOptions } from './transport/backoff.ts'
import { connectTransport } from './transport/http-transport.ts'
import type { CredentialWallet, HubInfo, Transport } from './transport/transport.ts'

export type { Connection } from './connection.ts'

/** What {@link connect} takes. */
export interface ConnectOptions {
  /** The hub's URL, `https://hub.example` for instance. */
  hub: string
  /** The key that speaks. */
  signer: Signer
  /** Whose bucket; the signer's own by default: `1…` for a Stacks key, else the identifier of its did:key. */
  address?: string
  /** Delegations received, for the buckets of others. */
  wallet?: CredentialWallet
  /** Seals and opens files: `sealing({keys})` of `mandate/client/seal`. */
  sealing?: Sealing | undefined
  /** In place of the platform's ways to send. */
  fetch?: typeof fetch
  /** The clock, in milliseconds since 1970. */
  now?: () => number
  /** 0 to 1, the latter excluded: spreads tries. */
  random?: () => number
  /** How long each call is tried again on 409, 429, 5xx and network errors; a minute by default. */
  retry?: RetryOptions
  /**
   * Tells at once where no hub answers, rather than asking again as long as `retry` says. One that answers and has too
   * much to do is asked again all the same.
   */
  failFast?: boolean
  /** Ends connecting; what is connected stays so. */
  signal?: AbortSignal
  /** How long `update` goes on against others who change the same file; two minutes by default. */
  updateRetry?: RetryOptions
  /** How long a file that is read may stand still before its connection is given up. 60,000 by default. */
  idleTimeoutMs?: number
}

/** Bounded by time, not by tries: however many change one file, each gets its turn. */
const updateRetryDefaults: RetryOptions = { maxElapsedMs: 120_000, baseDelayMs: 200, maxDelayMs: 8_000 }

/**
 * Asks the hub what it is, and gives the calls. Nothing is signed yet.
 * @throws {NetworkError} where nobody answers
 * @throws {BadAnswerError} where it is no hub that answers
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const updateRetry = { ...updateRetryDefaults, ...options.updateRetry }
  const random = options.random ?? Math.random
  return connectionOver(await connectTransport(options), { updateRetry, random }, options)
}

function connectionOver(
  transport: Transport,
  { updateRetry, random }: Pick<Files, 'updateRetry' | 'random'>,
  options: Pick<ConnectOptions, 'wallet' | 'sealing'>,
): Connection {
  return new HubConnection({ transport, versions: new Versions(), updateRetry, random }, options)
}

type Got = StoredFile | FileStream | NotModified

class HubConnection implements Connection {
  readonly #files: Files
  readonly #options: Pick<ConnectOptions, 'wallet' | 'sealing'>
  readonly #sealer: Sealer | undefined

  constructor(files: Files, options: Pick<ConnectOptions, 'wallet' | 'sealing'>) {
    this.#files = files
    this.#options = options
    this.#sealer = options.sealing?.(new HubConnection(files, { ...options, sealing: undefined }))
  }

  get transport(): Transport {
    return this.#files.transport
  }

  get address(): string {
    return this.transport.address
  }

  get did(): string {
    return this.transport.did
  }

  get hub(): HubInfo {
    return this.transport.hub
  }

  async put(path: string, data: PutData, options: PutOptions = {}): Promise<PutResult> {
    if (options.sealFor !== undefined) return this.#sealing().put(path, data, options)
    const check = options.plain === true ? undefined : () => this.#refuseSealed(path, options)
    const done = await putFile(this.#files, path, data, options, check)
    await this.#sealer?.rememberUnsealed(path)
    return done
  }

  async update(path: string, change: Change, options: UpdateOptions = {}): Promise<PutResult | null> {
    await this.#refuseSealed(path, options)
    const done = await updateFile(this.#files, path, change, options)
    if (done !== null) await this.#sealer?.rememberUnsealed(path)
    return done
  }

  get(path: string, options: GetOptions & { asStream: true; ifNoneMatch?: undefined }): Promise<FileStream>
  get(path: string, options: GetOptions & { asStream: true }): Promise<FileStream | NotModified>
  get(path: string, options?: GetOptions & { asStream?: false; ifNoneMatch?: undefined }): Promise<StoredFile>
  get(path: string, options: GetOptions & { asStream?: false }): Promise<StoredFile | NotModified>
  async get(path: string, options: GetOptions & { asStream?: boolean } = {}): Promise<Got> {
    const sealed = await this.#sealedAt(path, options)
    if (sealed === null && options.plain !== true) await this.#sealer?.refuseUnsealed(path)
    const file = await (sealed === null ? this.#read(path, options) : this.#unseal(sealed, options))
    this.#files.versions.saw(path, file.etag)
    return file
  }

  #read(path: string, options: GetOptions & { asStream?: boolean }): Promise<Got> {
    return options.asStream
      ? openFile(this.transport, path, options)
      : readUnlessSame(this.transport, path, options)
  }

  async #unseal({ path, etag }: FileInfo, options: GetOptions & { asStream?: boolean }): Promise<Got> {
    if (options.ifNoneMatch === etag) return { notModified: true, path, etag }
    return options.asStream ? this.#sealing().stream(path, options) : this.#sealing().get(path, options)
  }

  /** What was sealed is not replaced by what all can read, unless that is said. */
  async #refuseSealed(path: string, options: CallOptions): Promise<void> {
    if (this.#sealer === undefined) return
    const there = await this.head(path, options)
    if (there?.contentType !== sealedType)
      return there === null ? undefined : this.#sealer.refuseUnsealed(path)
    throw new InvalidInputError(
      `"${path}" holds a sealed file: put it with sealFor ('same' for its recipients), or with plain: true for all to read`,
    )
  }

  #sealing(): Sealer {
    if (this.#sealer !== undefined) return this.#sealer
    throw new InvalidInputError('this connection seals nothing: pass "sealing" to connect')
  }

  /** The sealed file at a path; `null` for others, and always on a connection that does not unseal. */
  async #sealedAt(path: string, options: CallOptions): Promise<FileInfo | null> {
    if (this.#sealer === undefined) return null
    const info = await headFile(this.transport, path, options)
    return info?.contentType === sealedType ? info : null
  }

  head(path: string, options?: CallOptions): Promise<FileInfo | null> {
    return headFile(this.transport, path, options)
  }

  delete(path: string, options?: DeleteOptions): Promise<boolean> {
    return deleteFile(this.#files, path, options)
  }

  list(options?: ListOptions & { stat?: false }): AsyncIterable<string>
  list(options: ListOptions & { stat: true }): AsyncIterable<FileInfo>
  list(options: ListOptions & { stat?: boolean } = {}): AsyncIterable<string> | AsyncIterable<FileInfo> {
    return options.stat ? listFiles(this.transport, options) : listPaths(this.transport, options)
  }

  history(path: string, options?: CallOptions): Promise<FormerVersion[]> {
    return historyOf(this.transport, path, options)
  }

  async restore(
    version: FormerVersion,
    options: Pick<PutOptions, 'signal' | 'onProgress'> = {},
  ): Promise<PutResult> {
    if (this.#sealer !== undefined && version.contentType === sealedType) {
      throw new InvalidInputError(
        'a sealed version is sealed anew: bring it back by restore() of sealedFiles',
      )
    }
    await this.#refuseSealed(version.of, { signal: options.signal })
    return restoreVersion(this.#files, version, options)
  }

  info(options: CallOptions = {}): Promise<HubInfo> {
    return this.transport.askHub(options.signal)
  }

  publicUrl(path: string): string {
    return this.transport.fileUrl(path)
  }

  delegate(options: DelegateOptions): Promise<Delegation> {
    return delegateAt(this.transport, this.#options.wallet, options)
  }

  async grant(delegation: Delegation | string, options?: GrantCallOptions): Promise<Grant> {
    const read = typeof delegation === 'string' ? Delegation.parse(delegation) : delegation
    return depositGrant(this.transport, read, options)
  }

  grants(options?: ListGrantsOptions): AsyncIterable<ListedGrant> {
    return listGrants(this.transport, options)
  }

  revoke(which: Delegation | string, options?: GrantCallOptions): Promise<string> {
    return revokeDelegation(this.transport, which, options)
  }

  revokeAll(options?: GrantCallOptions): Promise<number> {
    return revokeAllTokens(this.transport, options)
  }

  at(address: string): Connection {
    return connectionOver(this.transport.at(address), this.#files, this.#options)
  }
}
