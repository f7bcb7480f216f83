import type { Driver, PresignedUploads } from '../drivers/driver.ts'
import { limitAddresses } from './address-limit.ts'
import { type Authenticator, authenticator } from './auth/authenticate.ts'
import { type AuthorityStore, authorityStore } from './auth/authority-store.ts'
import { type HubInstruments, noHubInstruments } from './instruments.ts'
import type { DirectUploadOptions, HubOptions } from './options.ts'
import { PathLocks } from './path-locks.ts'
import { type SocialProofs, socialProofs } from './social-proofs.ts'

/** Uploads that go to the storage itself. */
export interface DirectUpload extends DirectUploadOptions {
  readonly uploads: PresignedUploads
}

/** What the operations work with. Apart from caches and the locks of what is under way it has no state. */
export interface Hub {
  readonly driver: Driver
  readonly authorityStore: AuthorityStore
  /** Counts requests at each address, where these are limited. */
  readonly authenticator: Authenticator
  /** For revocations: no number of requests may keep an owner from one. */
  readonly revocationAuthenticator: Authenticator
  readonly socialProofs: SocialProofs
  readonly pathLocks: PathLocks
  readonly readUrlPrefix: string
  readonly maxBytes: number
  readonly pageSize: number
  readonly cacheControl: string
  readonly idleTimeoutMs: number
  /** `null` where uploads go through the hub alone. */
  readonly directUpload: DirectUpload | null
  readonly instruments: HubInstruments
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export function createHub(options: HubOptions): Hub {
  const { driver, now = Date.now, instruments = noHubInstruments } = options
  const { addressRequestsPerMinute = 0 } = options
  const store = authorityStore({
    driver,
    cacheSize: options.authorityCacheSize,
    revocationMaxAgeSeconds: options.revocationMaxAgeSeconds,
    instruments,
  })
  const uncounted = authenticator({ ...options, authorityStore: store, now, instruments })
  return {
    driver,
    authorityStore: store,
    ...(addressRequestsPerMinute === 0
      ? { authenticator: uncounted, revocationAuthenticator: uncounted }
      : limitAddresses(uncounted, addressRequestsPerMinute, instruments)),
    socialProofs: socialProofs({
      driver,
      required: options.proofsRequired,
      ...(options.proofVerifier === undefined ? {} : { verifier: options.proofVerifier }),
    }),
    pathLocks: new PathLocks(),
    readUrlPrefix: options.readUrlPrefix.endsWith('/') ? options.readUrlPrefix : `${options.readUrlPrefix}/`,
    maxBytes: Math.floor(options.maxFileUploadSizeMegabytes * 1024 * 1024),
    pageSize: options.pageSize,
    cacheControl: options.cacheControl,
    idleTimeoutMs: options.idleTimeoutMs,
    directUpload: directUploadOf(options),
    instruments,
    now,
  }
}

function directUploadOf({ driver, directUpload }: HubOptions): DirectUpload | null {
  const uploads = driver.presign?.uploads ?? null
  return directUpload === undefined || uploads === null ? null : { ...directUpload, uploads }
}
