import type { HttpInstruments } from '../http/instruments.ts'
import { noHttpInstruments } from '../http/instruments.ts'

/** What a hub remembers: tokens whose signature it has verified, and what owners have said. */
export type CacheName = (typeof cacheNames)[number]

export const cacheNames = [
  'v1_tokens',
  'ucan_tokens',
  'timestamps',
  'revocations',
  'grant_lists',
  'grants',
] as const

/** What a hub tells of its work to whoever watches; under the same conditions as {@link HttpInstruments}. */
export interface HubInstruments extends HttpInstruments {
  /**
   * The credential of a request has been judged, once for each request and before anything is done: `accepted`, or the
   * code of the refusal. That is one of PROTOCOL 2.3, or `unauthorized`, `token_too_old`, `not_authorized`.
   */
  credential(outcome: string): void
  cache(name: CacheName, isHit: boolean): void
}

export const noHubInstruments: HubInstruments = {
  ...noHttpInstruments,
  credential: () => undefined,
  cache: () => undefined,
}
