import type { Delegation } from '../delegation/delegation.ts'
import type { MandateError } from '../errors.ts'
import type { Signer } from '../signers/signer.ts'
import type { Backoff } from './backoff.ts'
import type { Outcome } from './send.ts'

/** What a hub says of itself (PROTOCOL 1.2 and 2.7). */
export interface HubInfo {
  /** The text that v1 tokens sign. */
  readonly challengeText: string
  /** Where files are read; ends in `/`. */
  readonly readUrlPrefix: string
  /** The largest file in bytes; `null` where the hub does not say. */
  readonly maxFileBytes: number | null
  /** Above so many bytes a file is better brought to the storage itself; `null` where the hub offers no such uploads. */
  readonly directUploadThreshold: number | null
  /** `did:web:…`, the audience of invocations; `null` at a hub that knows nothing of UCAN. */
  readonly did: string | null
  /** The most bytes of an invocation with all its proofs; 16,384 where the hub does not say. */
  readonly maxUcanBytes: number
  /** How long another hub over the same storage may not know of a revocation, in seconds; `null` where unsaid. */
  readonly revocationMaxAgeSeconds: number | null
  readonly ucanVersions: readonly string[]
  /** `grants`, `ucan`, `revoke`, `list-prefix`, …; empty at a plain Gaia hub. */
  readonly extensions: readonly string[]
  readonly software: { readonly name: string; readonly version: string } | null
}

/** What a credential must allow, at the address of the transport. */
export interface Need {
  /** `gaia/store`, `gaia/archive`, `gaia/delete`, `gaia/list`, `gaia/grant`, or `*`. */
  readonly ability: string
  /** Decoded. Empty, or with a slash at its end, for everything below. */
  readonly path: string
  /** Of a file that is to be stored, in bytes, where it is known: of several delegations, one that allows it is taken. */
  readonly size?: number | null
  /** Of a file that is to be stored. */
  readonly contentType?: string
}

/** Where a credential is made, for one signer at one bucket. */
export interface CredentialContext {
  readonly hub: HubInfo
  /** Without a slash at its end. */
  readonly hubUrl: string
  readonly signer: Signer
  /** The DID of the signer. */
  readonly did: string
  /** Whose bucket. */
  readonly address: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /**
   * Seconds since 1970: what tokens say of when they were issued. Now, or a moment later where the owner has just
   * revoked all through this connection.
   */
  issueTime(): number
}

/** Makes the headers that prove who asks and why it is allowed. */
export interface CredentialSource {
  /**
   * `Authorization`, and `ucans` where a chain needs it.
   * @param needs what the credential must allow; none for one that only says who asks
   * @param options.fresh nothing remembered, for a request that cannot be sent again
   */
  headers(needs: readonly Need[], options?: { fresh?: boolean }): Promise<Record<string, string>>
  /**
   * Told that what it gave was refused.
   * @returns whether it would now give something else that is worth one more try
   */
  refused(error: MandateError): boolean
  /** Forgets what it remembers: older credentials are void. */
  forget(): void
  /** Told that a delegation is deposited at the hub, or made void there: it need not be sent, or is no good. */
  noteGrant?(cid: string, state: 'deposited' | 'revoked'): void
}

/**
 * Where credentials for other people's buckets come from: a wallet of delegations. `null` where it holds none that
 * fits; the signer's bare credential is sent then, and deposited grants decide.
 */
export interface CredentialWallet {
  credentials(context: CredentialContext): CredentialSource | null
  /** The delegations that serve all needs of a key at a bucket, `null` where there are none; for handing on. */
  delegationsFor?(
    user: Pick<CredentialContext, 'address' | 'did'>,
    needs: readonly Need[],
  ): Promise<readonly Delegation[] | null>
}

/** Bytes of a transfer so far, and of the whole where that is known. */
export interface Progress {
  readonly loaded: number
  readonly total: number | null
}

/** What a request may carry. */
export type RequestBody = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>

/** A body that can be opened for each try. */
export interface BodySource {
  /** Bytes; `null` where nobody knows before the end. */
  readonly size: number | null
  /** Whether it may be opened again after a try took bytes of it. */
  readonly replayable: boolean
  open(): RequestBody | Promise<RequestBody>
}

/** One call of a hub or a reader. */
export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Absolute; see {@link Transport.hubPath} and {@link Transport.fileUrl}. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodySource | string
  /** What the credential must allow. Left out for a request without a credential: reading. */
  readonly needs?: readonly Need[] | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * Whether sending it again does no harm where the answer was lost. True by default: every call of the protocol is
   * of that kind, by its condition or by what it does.
   */
  readonly idempotent?: boolean
  /** Whether it changes nothing, though it is a POST: an answer that was lost is no loss then. */
  readonly changesNothing?: boolean | undefined
  /** Whether what it is about may have been changed before, by something of the same call whose answer was lost. */
  readonly answerLost?: boolean | undefined
  /** Whether it is tried again where no answer comes. True by default. */
  readonly retryUnanswered?: boolean | undefined
  /** It is given up when nothing has moved for so long, before the answer begins. Five minutes by default. */
  readonly timeoutMs?: number | undefined
  /** Whether a 409 is waited for and tried again. True by default. */
  readonly retryConflicts?: boolean | undefined
  /** Statuses beside 2xx that are answers, not errors: 304, 404, … */
  readonly accept?: readonly number[]
  /** Of the body that is sent. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly cache?: RequestCache
}

/** A request to a storage, which knows nothing of the hub's credentials. */
export interface DirectRequest {
  readonly method: 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody
  readonly size: number | null
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
}

/** What JSON is sent with. */
export interface JsonOptions
  extends Pick<TransportRequest, 'signal' | 'headers' | 'retryConflicts' | 'changesNothing' | 'answerLost'> {
  readonly needs: readonly Need[]
  /** The file that it is about. */
  readonly path?: string
}

/** What connections to one hub have found out about the ways to its storage. */
export interface StorageWays {
  /** Until when nothing is brought there: it proved to be out of reach. In milliseconds since 1970. */
  avoidedUntilMs: number
  /** Whether its etags were found to be others than those of the reader that sends one there. */
  namesDiffer: boolean
}

/** Carries requests to one hub, for one signer at one bucket, with credentials and tries again. */
export interface Transport extends CredentialContext {
  readonly credentials: CredentialSource
  /**
   * @returns an answer with a status of 2xx, or one of `accept`; its body is the caller's to read
   * @throws {MandateError} the class says which refusal; or the reason of the signal
   */
  request(request: TransportRequest): Promise<Response>
  /** Sends JSON, and reads JSON: an object. Other answers are a `BadAnswerError`. */
  requestJson(
    operation: string,
    body: object,
    options: JsonOptions,
  ): Promise<Readonly<Record<string, unknown>>>
  /** Sends a request to a storage: once, and whatever the answer is. @throws the reason of the signal */
  sendDirectly(request: DirectRequest): Promise<Outcome>
  /** Found out by this connection, and by those at other buckets that it made. */
  readonly ways: StorageWays
  /** `<hub>/<operation>/<address>` and the encoded path behind it. @throws {BadPathError} */
  hubPath(operation: string, path?: string): string
  /** Where a file of the bucket is read. @throws {BadPathError} */
  fileUrl(path: string): string
  /** Tokens issued before that second are void from now on: the owner has said so through this connection. */
  raiseIssueTime(seconds: number): void
  /** A series of tries as the options of the connection bound it, for what `request` cannot try again by itself. */
  tries(): Backoff
  /** How long a body that is read may stand still, in milliseconds. */
  readonly idleTimeoutMs: number
  /** Asks the hub anew what it is. */
  askHub(signal?: AbortSignal): Promise<HubInfo>
  /** The same signer at another bucket of the hub. */
  at(address: string): Transport
}
