import type { Readable } from 'node:stream'
import type { BlockBlobClient } from '@azure/storage-blob'
import { ignoreLateErrors } from '../body.ts'
import { checkCondition } from '../condition.ts'
import type {
  BucketPage,
  Driver,
  ListBucketsOptions,
  ListOptions,
  ListPage,
  ObjectInfo,
  Presigner,
  ReadOptions,
  ReadResult,
  WriteOptions,
} from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Key } from '../key.ts'
import { probePrefix } from '../probe.ts'
import { readOnly } from '../read-only.ts'
import {
  type AzureAccountOptions,
  type AzureNetworkOptions,
  type Connection,
  connect,
  defaultTimeoutMs,
} from './connection.ts'
import { copyBlob } from './copy.ts'
import { deleteBlob } from './delete.ts'
import { asDriver, asDriverError } from './errors.ts'
import { statBlob } from './info.ts'
import { listBucketPage, listPage } from './list.ts'
import { isPeculiar, refusalOf } from './names.ts'
import { azurePresigner } from './presign.ts'
import { readBlob } from './read.ts'
import { listSegment } from './segments.ts'
import { type Found, type StartOptions, start } from './start.ts'
import type { TransferOptions } from './transfer.ts'
import { writeBlob } from './write.ts'

export interface AzureDriverOptions extends AzureAccountOptions, AzureNetworkOptions, StartOptions {
  /**
   * Bodies up to here are stored by one request, larger ones in blocks of this size; 8 MiB unless said otherwise.
   * An object has at most 50,000 blocks; where the size is known, blocks grow to fit.
   */
  blockBytes?: number
  /** How many blocks of one body are sent at once; 2 unless said otherwise. These, and one more, are in memory. */
  uploadConcurrency?: number
}

/**
 * Opens a container of Azure Blob Storage, in which the object `<address>/<path>` is a block blob of that name, as
 * Gaia keeps them. Conditions are the service's own; etags are the service's, which never come twice.
 *
 * Of two large uploads to one key at once without a condition one may be `busy`: the first commit throws away what
 * the other has sent. Names of more than 1,024 characters are `invalid_key`.
 * @throws `backend` or `unavailable` when the container cannot be used, saying what is missing
 */
export async function azureDriver(options: AzureDriverOptions): Promise<Driver> {
  const transfer = {
    blockBytes: options.blockBytes ?? 8 * 1024 * 1024,
    concurrency: options.uploadConcurrency ?? 2,
    stallMs: options.timeoutMs ?? defaultTimeoutMs,
  }
  const connection = await connect(options)
  try {
    const driver = new AzureDriver(connection, transfer, await start(connection, transfer, options))
    return options.access === 'read' ? readOnly(driver) : driver
  } catch (error) {
    connection.close()
    throw asDriverError(error)
  }
}

class AzureDriver implements Driver {
  readonly name = 'azure'
  readonly capabilities: Driver['capabilities']
  readonly presign?: Presigner
  readonly #connection: Connection
  readonly #transfer: TransferOptions
  readonly #found: Found

  constructor(connection: Connection, transfer: TransferOptions, found: Found) {
    this.#connection = connection
    this.#transfer = transfer
    this.#found = found
    const presigner = azurePresigner(connection.container, (key) => this.#refusal(key))
    if (presigner !== null) this.presign = presigner
    const { atomicConditions, atomicDeletes } = found
    this.capabilities = { atomicConditions, atomicDeletes, presign: presigner !== null, range: true }
  }

  async stat(key: Key): Promise<ObjectInfo | null> {
    return (await this.#mayHold(key)) ? await asDriver(() => statBlob(this.#blob(key))) : null
  }

  async read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    return (await this.#mayHold(key))
      ? await asDriver(() => readBlob(this.#blob(key), options, this.#transfer.stallMs))
      : null
  }

  async write(key: Key, body: Readable, options: WriteOptions): Promise<ObjectInfo> {
    const refusal = this.#refusal(key)
    if (refusal === null) return await writeBlob(this.#blob(key), body, options, this.#transfer)
    ignoreLateErrors(body)
    body.destroy()
    throw new DriverError('invalid_key', refusal)
  }

  async delete(key: Key, options: { condition?: { readonly ifMatch: string } } = {}): Promise<void> {
    if (this.#refusal(key) === null) return await deleteBlob(this.#blob(key), options.condition)
    checkCondition(options.condition, null)
    throw nothingThere()
  }

  async copy(from: Key, to: Key, options: { ifMatch?: string } = {}): Promise<ObjectInfo> {
    if (this.#refusal(from) !== null) throw nothingThere()
    const refusal = this.#refusal(to)
    if (refusal !== null) throw new DriverError('invalid_key', refusal)
    return await copyBlob(this.#blob(from), this.#blob(to), options.ifMatch, this.#transfer)
  }

  async list(prefix: string, options: ListOptions): Promise<ListPage> {
    return await listPage(this.#connection.container, prefix, options)
  }

  async listBuckets(options: ListBucketsOptions): Promise<BucketPage> {
    return await listBucketPage(this.#connection.container, options)
  }

  async check(): Promise<void> {
    // Looks for a blob that is not there: whoever may read may ask that, and a missing container is another answer.
    await asDriver(() => statBlob(this.#connection.container.getBlobClient(`${probePrefix}check`)))
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  #blob(key: Key): BlockBlobClient {
    return this.#connection.container.getBlockBlobClient(key)
  }

  #refusal(key: Key): string | null {
    return refusalOf(key, this.#found.unheld ?? [])
  }

  /** Where it is not known whether the service takes two names for one, its list tells which of them is there. */
  async #mayHold(key: Key): Promise<boolean> {
    if (this.#refusal(key) !== null) return false
    if (this.#found.unheld !== null || !isPeculiar(key)) return true
    const { items } = await listSegment(this.#connection.container, key, null, 1)
    return items[0]?.name === key
  }
}

function nothingThere(): DriverError {
  return new DriverError('not_found', 'nothing is stored under that name')
}
