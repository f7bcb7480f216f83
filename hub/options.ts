import type { Logger } from 'pino'
import type { Driver } from '../drivers/driver.ts'
import type { PeerLimit } from '../http/peer-limit.ts'
import type { HubInstruments } from './instruments.ts'
import type { ProofVerifier } from './social-proofs.ts'

export interface DirectUploadOptions {
  /** Bytes above which clients are told to upload directly. */
  thresholdBytes: number
  /** Within which an upload must begin once it was allowed, in seconds: 1 to 300. A revocation comes too late for it. */
  lifetimeSeconds: number
}

/** Everything that a hub is made of. Nothing is read from the environment. */
export interface HubOptions {
  driver: Driver
  logger: Logger
  /** The host that clients know the hub by; part of the challenge that tokens sign, and of `hub_did`. */
  serverName: string
  /** Where the files are read: an absolute URL that ends in `/`. */
  readUrlPrefix: string
  /** The largest file, in units of 1,048,576 bytes. */
  maxFileUploadSizeMegabytes: number
  /** Entries on a page of list-files where the client names no `limit`; 1 to 4,096. */
  pageSize: number
  /** Cache-Control that stores which serve files by themselves keep with each file. */
  cacheControl: string
  /** Addresses that may sign; `null` for anybody. */
  whitelist: readonly string[] | null
  requireCorrectHubUrl: boolean
  validHubUrls: readonly string[]
  /** Social proofs that an owner's profile must carry before anything else is stored; 0 for none. */
  proofsRequired: number
  /** Looks behind the URLs of social proofs; without one their form alone is checked. */
  proofVerifier?: ProofVerifier
  /** Facts about owners kept in memory. */
  authorityCacheSize: number
  /** How long another hub's revocation may go unseen, in seconds. */
  revocationMaxAgeSeconds: number
  /** How far ahead the `exp` of an invocation may lie, in seconds. */
  maxInvocationLifetimeSeconds: number
  /** How long an upload may stand still before it is given up. */
  idleTimeoutMs: number
  /** Uploads that go to the storage itself; without it, or over a driver that presigns none, they are refused. */
  directUpload?: DirectUploadOptions
  /** `Strict-Transport-Security`: only where the public name is served by HTTPS alone. */
  hsts?: boolean
  /** How many requests one peer may make; without it any number. */
  peerLimit?: PeerLimit
  /**
   * Requests a minute at one address by its owner, and as many by its writers; 0 or absent for no limit. Revocations
   * are not counted with them: the owner's not at all, those of writers apart.
   */
  addressRequestsPerMinute?: number
  instruments?: HubInstruments
  /** Milliseconds since 1970. */
  now?: () => number
}
