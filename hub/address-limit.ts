import type { Address } from '../drivers/key.ts'
import { RateLimiter } from '../http/rate-limiter.ts'
import type { Authenticator } from './auth/authenticate.ts'
import { isWholeOwner } from './auth/authorize.ts'
import type { HubInstruments } from './instruments.ts'

/** What counts the requests at an address, and what counts the revocations there. */
export interface LimitedAddresses {
  readonly authenticator: Authenticator
  readonly revocationAuthenticator: Authenticator
}

/**
 * Counts requests by the address that they are about, once their credential is found to be good: strangers cannot use
 * up what is the owner's. Neither can writers: those whom the owner has let in share one count, the owner has another.
 * Whoever got hold of a token of the owner's that allows but a part counts as one of them. Revocations of the owner's
 * are not counted, so that nothing holds them up; those of writers have a count apart from all else that they do.
 * @param perMinute requests within a minute, of each count
 */
export function limitAddresses(
  authenticator: Authenticator,
  perMinute: number,
  instruments: HubInstruments,
): LimitedAddresses {
  const limiter = new RateLimiter({ perMinute, message: 'too many requests at this address' })
  /** @param keyOf what to count an owner's and a writer's requests by; `null` not to count them */
  const counting = (keyOf: (isOwner: boolean, address: Address) => string | null): Authenticator => ({
    ...authenticator,
    async authenticate(headers, address) {
      const authority = await authenticator.authenticate(headers, address)
      // Whoever may do nothing here will be refused, and is nobody's business but its peer's.
      if (authority.capabilities.length === 0) return authority
      const key = keyOf(isWholeOwner(authority), address)
      if (key === null) return authority
      try {
        await limiter.take(key)
      } catch (error) {
        instruments.turnedAway('address_rate')
        throw error
      }
      return authority
    },
  })
  return {
    authenticator: counting((isOwner, address) => (isOwner ? address : `${address}/`)),
    revocationAuthenticator: counting((isOwner, address) => (isOwner ? null : `${address}/revocations`)),
  }
}
