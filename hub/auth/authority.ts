import type { Address } from '../../drivers/key.ts'
import type { WireError } from '../../http/errors.ts'
import type { Capability } from './capability.ts'
import type { PublicKey } from './keys.ts'

/**
 * What one checked credential amounts to at one address, whatever its kind was. The authorization of an operation
 * is a pure function of it (authorize.ts).
 */
export interface Authority {
  readonly address: Address
  readonly credential: 'v1' | 'legacy' | 'invocation'
  /** Whose key signed the request. */
  readonly principal: PublicKey
  /** Whether the principal's own key controls the address. */
  readonly isOwner: boolean
  /** Whether it is a v1 token that names scopes: it may do only what they name (PROTOCOL 1.4). */
  readonly isScoped: boolean
  /** What the owner allows, each proven. */
  readonly capabilities: readonly Capability[]
  /**
   * What the writer's own credential asks for, where the owner's leave comes from deposited grants: both must cover
   * a request. `null` where the credential asks for nothing in particular.
   */
  readonly claimed: readonly Capability[] | null
  /** Why the credential is not in force at all; for uses that ask for no capability. */
  readonly revoked: WireError | null
  /**
   * Why nothing of this allows an operation.
   * @param serves whether holding a capability would allow it
   */
  refusal(serves: (capability: Capability) => boolean, reason: string): WireError
  /**
   * The same credential by what is known now of revocations: for right before a commit. What it was valid for in
   * time when the request began counts.
   * @throws {WireError} when it has been revoked or cut off since; or a DriverError where storage cannot tell
   */
  renew(): Promise<Authority>
}

/** The capability of an owner over its whole address. */
export function ownerCapability(address: string): Capability {
  return { address, ability: '*', reach: { kind: 'below', path: '' }, caveats: {} }
}
