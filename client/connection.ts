import type { DelegateOptions } from './delegation/delegate.ts'
import type { Delegation } from './delegation/delegation.ts'
import type { DeleteOptions } from './files/delete.ts'
import type { FileInfo, FileStream, NotModified, StoredFile } from './files/file.ts'
import type { CallOptions } from './files/files.ts'
import type { FormerVersion } from './files/history.ts'
import type { ListOptions } from './files/list.ts'
import type { PutOptions, PutResult } from './files/put.ts'
import type { GetOptions } from './files/read.ts'
import type { PutData } from './files/source.ts'
import type { Change, UpdateOptions } from './files/update.ts'
import type { Grant, GrantCallOptions } from './grants/grant.ts'
import type { ListedGrant, ListGrantsOptions } from './grants/list-grants.ts'
import type { HubInfo, Transport } from './transport/transport.ts'

/**
 * One signer at one bucket of one hub; made by `connect`. All paths are decoded names within the bucket,
 * `photos/cat.jpg` for instance, by the rules of PROTOCOL 1.7; others are a {@link BadPathError} before anything is
 * sent.
 *
 * Every call is tried again on conflicts, rate limits, failures of the server and network errors, as long as the
 * options of the connection say; it ends at once, with the reason of the signal, when its `signal` aborts.
 */
export interface Connection {
  /** The bucket. */
  readonly address: string
  /** `did:key:z…` of the signer: what others delegate to. */
  readonly did: string
  /** What the hub said of itself when the connection was made. */
  readonly hub: HubInfo
  /** For functions that add to this library. */
  readonly transport: Transport

  /**
   * Stores a file, whole or not at all. What this connection has not seen is not overwritten: a path that it has read
   * or written is replaced only as that version, and any other is only created. Puts at one path that are not waited
   * for are stored one after the other.
   * @throws {PreconditionFailedError} where the path holds a version that this connection has not seen
   * @throws {PayloadTooLargeError} where it is larger than the hub takes
   * @throws {NotAuthorizedError} where no delegation covers it
   */
  put(path: string, data: PutData, options?: PutOptions): Promise<PutResult>

  /**
   * Changes a file: reads it, calls `change` with what is there (`null` for nothing) and stores what that gives;
   * begins anew where somebody else was faster, for two minutes by default. No update is lost, and none is made
   * twice.
   * @returns `null` where `change` gave `undefined`: nothing was stored
   * @throws {OutcomeUnknownError} where the answer of the hub was lost and the file has changed since
   */
  update(path: string, change: Change, options?: UpdateOptions): Promise<PutResult | null>

  /** Opens a file as a stream, which goes on by itself where the connection breaks. @throws {NotFoundError} */
  get(path: string, options: GetOptions & { asStream: true; ifNoneMatch?: undefined }): Promise<FileStream>
  get(path: string, options: GetOptions & { asStream: true }): Promise<FileStream | NotModified>
  /**
   * Reads a file, or with `range` a part of it. With `ifNoneMatch` it may answer that the file is still that version.
   * Whatever it gives is of one version, and whole.
   * @throws {NotFoundError}
   */
  get(path: string, options?: GetOptions & { asStream?: false; ifNoneMatch?: undefined }): Promise<StoredFile>
  get(path: string, options: GetOptions & { asStream?: false }): Promise<StoredFile | NotModified>

  /** What is known of a file, without its bytes; `null` where there is none. */
  head(path: string, options?: CallOptions): Promise<FileInfo | null>

  /**
   * Deletes a file: one that this connection has read or written only as that version.
   * @returns whether there was one
   * @throws {PreconditionFailedError} where it holds a version that this connection has not seen
   */
  delete(path: string, options?: DeleteOptions): Promise<boolean>

  /** The paths of the bucket, in the order of their UTF-8 bytes; with `stat`, what is known of each file. */
  list(options?: ListOptions & { stat?: false }): AsyncIterable<string>
  list(options: ListOptions & { stat: true }): AsyncIterable<FileInfo>

  /** The former versions of a file that were stored over with `keepHistory`, the youngest first. */
  history(path: string, options?: CallOptions): Promise<FormerVersion[]>

  /** Makes a former version the present one. What is there now becomes history itself. */
  restore(version: FormerVersion, options?: Pick<PutOptions, 'signal' | 'onProgress'>): Promise<PutResult>

  /** Asks the hub anew what it is. */
  info(options?: CallOptions): Promise<HubInfo>

  /** Where anybody can read a file, ready to be fetched or linked to. */
  publicUrl(path: string): string

  /**
   * Lets somebody else do some of what this signer may do in this bucket. Nothing is sent: give what it returns to its
   * recipient as text, URL or QR code, or deposit it by {@link Connection.grant}. In somebody else's bucket it hands on
   * what the wallet holds, or `via`.
   * @throws {DelegationError} where that cannot be handed on
   */
  delegate(options: DelegateOptions): Promise<Delegation>

  /**
   * Deposits a delegation, or its text or URL, at the hub: its audience then writes with any credential of its own, a
   * stock Gaia client's too. Twice changes nothing.
   */
  grant(delegation: Delegation | string, options?: GrantCallOptions): Promise<Grant>

  /** What is deposited for this bucket and has not expired: all of it for the owner, for others what concerns them. */
  grants(options?: ListGrantsOptions): AsyncIterable<ListedGrant>

  /**
   * Ends a delegation, and every chain that passes through it, for good; by the delegation itself, or by the CID of one
   * that is deposited. The owner may, and each issuer in its chain.
   * @returns its CID
   * @throws {NotFoundError} for a CID under which nothing is deposited
   */
  revoke(which: Delegation | string, options?: GrantCallOptions): Promise<string>

  /**
   * Ends all that was signed for this bucket up to now: the owner's tokens and every delegation. This connection goes
   * on. Only the owner may.
   * @returns seconds since 1970: what was issued before is void
   */
  revokeAll(options?: GrantCallOptions): Promise<number>

  /** The same signer at another bucket of the hub, somebody else's for instance. */
  at(address: string): Connection
}
