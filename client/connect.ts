import { type DeleteOptions, deleteFile } from './files/delete.ts'
import type { FileInfo, StoredFile } from './files/file.ts'
import type { CallOptions, Files } from './files/files.ts'
import { headFile } from './files/head.ts'
import { type FormerVersion, historyOf } from './files/history.ts'
import { type ListOptions, listFiles, listPaths } from './files/list.ts'
import { type PutOptions, type PutResult, putFile } from './files/put.ts'
import { readFile } from './files/read.ts'
import type { PutData } from './files/source.ts'
import { type Change, type UpdateOptions, updateFile } from './files/update.ts'
import { Versions } from './files/versions.ts'
import type { Signer } from './signers/signer.ts'
import type { RetryOptions } from './transport/backoff.ts'
import { connectTransport } from './transport/http-transport.ts'
import type { CredentialWallet, HubInfo, Transport } from './transport/transport.ts'

export interface ConnectOptions {
  /** The hub's URL, `https://hub.example` for instance. */
  hub: string
  /** The key that speaks. */
  signer: Signer
  /** Whose bucket; the signer's own by default. */
  address?: string
  /** Delegations received, for the buckets of others. */
  wallet?: CredentialWallet
  /** In place of the platform's. */
  fetch?: typeof fetch
  /** The clock, in milliseconds since 1970. */
  now?: () => number
  /** 0 to 1, the latter excluded: spreads tries. */
  random?: () => number
  /** How long each call is tried again on 409, 429, 5xx and network errors. */
  retry?: RetryOptions
  /** How long `update` goes on against others; 120 s by default. */
  updateRetry?: RetryOptions
}

/** One signer at one bucket of one hub. Made by {@link connect}. */
export interface Connection {
  /** The bucket. */
  readonly address: string
  /** `did:key:z…` of the signer: what others delegate to. */
  readonly did: string
  readonly hub: HubInfo
  /** For functions that add to this library. */
  readonly transport: Transport
  put(path: string, data: PutData, options?: PutOptions): Promise<PutResult>
  update(path: string, change: Change, options?: UpdateOptions): Promise<PutResult | null>
  get(path: string, options?: CallOptions): Promise<StoredFile>
  head(path: string, options?: CallOptions): Promise<FileInfo | null>
  delete(path: string, options?: DeleteOptions): Promise<boolean>
  list(options?: ListOptions & { stat?: false }): AsyncIterable<string>
  list(options: ListOptions & { stat: true }): AsyncIterable<FileInfo>
  history(path: string, options?: CallOptions): Promise<FormerVersion[]>
}

/** Asks the hub what it is, and gives the calls. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const transport = await connectTransport(options)
  return new HubConnection({
    transport,
    versions: new Versions(),
    updateRetry: { maxElapsedMs: 120_000, baseDelayMs: 50, maxDelayMs: 5_000, ...options.updateRetry },
    random: options.random ?? Math.random,
  })
}

class HubConnection implements Connection {
  readonly #files: Files

  constructor(files: Files) {
    this.#files = files
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

  put(path: string, data: PutData, options?: PutOptions): Promise<PutResult> {
    return putFile(this.#files, path, data, options)
  }

  update(path: string, change: Change, options?: UpdateOptions): Promise<PutResult | null> {
    return updateFile(this.#files, path, change, options)
  }

  async get(path: string, options?: CallOptions): Promise<StoredFile> {
    const file = await readFile(this.transport, path, options)
    this.#files.versions.saw(path, file.etag)
    return file
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
}
