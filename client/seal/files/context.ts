import type { Connection } from '../../connection.ts'
import { controls } from '../../did.ts'
import type { MandateError } from '../../errors.ts'
import type { Recipient } from '../envelope.ts'
import type { OpeningKey } from '../opening-key.ts'
import { type SealMemory, volatileMemory } from './memory.ts'

/** What is asked about a recipient's key before it is used. */
export interface KeyQuestion {
  /** Whose key. */
  readonly did: string
  /** `did:key` of the key. */
  readonly key: string
  /** `did:key`s of keys that everything sealed for this recipient is sealed for too. */
  readonly recovery: readonly string[]
  /** To compare with what its holder reads out. */
  readonly fingerprint: string
  /** Of the key that was in use so far; `null` on first use. */
  readonly formerFingerprint: string | null
}

export interface SealOptions {
  /** Keys that open, the youngest first. None for one who only seals for others. */
  keys?: readonly OpeningKey[]
  /** Where versions that were seen and keys that were pinned are remembered; until the end of the process by default. */
  memory?: SealMemory
  /** DIDs whose signatures are taken beside one's own and those of the owner of an address. */
  sealers?: readonly string[]
  /** Groups that one of the keys is a member of: `gaia://<address>/<path>`. */
  groups?: readonly string[]
  /**
   * Asked when a recipient's published key is used for the first time, and when it has changed. Without it the first
   * one is taken (its DID has signed it) and pinned, and a change is refused.
   */
  confirmKey?: (question: KeyQuestion) => boolean | Promise<boolean>
  /** Told where recipients could not be told of a file that was sealed for them. The file is stored all the same. */
  onIndexError?: (error: MandateError) => void
}

/** What every operation on sealed files works with. */
export interface SealContext {
  readonly connection: Connection
  readonly keys: readonly OpeningKey[]
  readonly memory: SealMemory
  readonly sealers: readonly string[]
  readonly groups: readonly string[]
  readonly confirmKey: SealOptions['confirmKey']
  readonly onIndexError: SealOptions['onIndexError']
  /** Recipients that were looked up a moment ago. */
  readonly resolved: Map<string, { recipients: readonly Recipient[]; untilMs: number }>
  /** Keys of groups, by the envelope that they came from. */
  readonly groupKeys: Map<string, readonly OpeningKey[]>
}

export function sealContext(connection: Connection, options: SealOptions = {}): SealContext {
  const {
    keys = [],
    memory = volatileMemory(),
    sealers = [],
    groups = [],
    confirmKey,
    onIndexError,
  } = options
  const asked = { confirmKey, onIndexError }
  return { connection, keys, memory, sealers, groups, ...asked, resolved: new Map(), groupKeys: new Map() }
}

/** The same at another address. */
export function contextAt(context: SealContext, address: string): SealContext {
  if (address === context.connection.address) return context
  return { ...context, connection: context.connection.at(address) }
}

/** Whether the signer writes at its own address. */
export function isOwn({ connection }: SealContext): boolean {
  return controls(connection.did, connection.address)
}
