import type { RetryOptions } from '../transport/backoff.ts'
import type { Transport } from '../transport/transport.ts'
import type { Versions } from './versions.ts'

/** What every operation on files works with. */
export interface Files {
  readonly transport: Transport
  readonly versions: Versions
  /** How long an update is tried. */
  readonly updateRetry: RetryOptions
  /** 0 to 1, the latter excluded. */
  readonly random: () => number
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it rejects with the reason of the signal. */
  signal?: AbortSignal | undefined
}
