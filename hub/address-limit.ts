import { RateLimiter } from '../http/rate-limiter.ts'
import type { Authenticator } from './auth/authenticate.ts'
import { isWholeOwner } from './auth/authorize.ts'
import type { HubInstruments } from './instruments.ts'

/**
 * Counts requests by the address that they are about, once their credential is found to be good: strangers cannot use
 * up what is the owner's. Neither can writers: those whom the owner has let in share one count, the owner has another.
 * Whoever got hold of a token of the owner's that allows but a part counts as one of them.
 * @param perMinute requests within a minute, of each of the two
 */
export function limitAddresses(
  authenticator: Authenticator,
  perMinute: number,
  instruments: HubInstruments,
): Authenticator {
  const limiter = new RateLimiter({ perMinute, message: 'too many requests at this address' })
  return {
    ...authenticator,
    async authenticate(headers, address) {
      const authority = await authenticator.authenticate(headers, address)
      // Whoever may do nothing here will be refused, and is nobody's business but its peer's.
      if (authority.capabilities.length === 0) return authority
      try {
        await limiter.take(isWholeOwner(authority) ? address : `${address}/`)
      } catch (error) {
        instruments.turnedAway('address_rate')
        throw error
      }
      return authority
    },
  }
}
