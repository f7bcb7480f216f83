import type { Address } from '../../drivers/key.ts'
import type { Capability } from './capability.ts'
import type { PublicKey } from './keys.ts'

/**
 * What one checked credential amounts to at one address, whatever its kind was. It is a plain value: the
 * authorization of an operation is a pure function of it (authorize.ts).
 */
export interface Authority {
  readonly address: Address
  /** Whose key signed the request. */
  readonly principal: PublicKey
  /** Whether the principal's own key controls the address. */
  readonly isOwner: boolean
  readonly capabilities: readonly Capability[]
  /**
   * Seconds since 1970 (fractions allowed) of the statement that the owner's oldest valid timestamp cuts off:
   * the token of an owner, the root of a chain. `null` where it names none.
   */
  readonly issuedAt: number | null
  /** Delegations that the authority rests on, by revocation id; empty for an owner's own token. */
  readonly chain: readonly string[]
}

/** The capability of an owner over its whole address. */
export function ownerCapability(address: string): Capability {
  return { address, ability: '*', reach: { kind: 'below', path: '' }, caveats: {} }
}
