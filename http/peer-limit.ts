import type { RequestHandler } from 'express'
import type { HttpInstruments } from './instruments.ts'
import { limitKey, type Peers } from './peer.ts'
import { RateLimiter } from './rate-limiter.ts'

export interface PeerLimit {
  /** Requests of one peer within a minute; further ones get 429 with `Retry-After`. */
  perMinute: number
  peers: Peers
}

/** Counts every request by whom it comes from, before anything is done for it. */
export function limitPeers({ perMinute, peers }: PeerLimit, instruments: HttpInstruments): RequestHandler {
  const limiter = new RateLimiter({ perMinute, message: 'too many requests from this network address' })
  return async (req, _res, next) => {
    try {
      await limiter.take(limitKey(peers.of(req)))
    } catch (error) {
      instruments.turnedAway('peer_rate')
      throw error
    }
    next()
  }
}
