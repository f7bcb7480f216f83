import type { IncomingMessage, ServerResponse } from 'node:http'

/** What is known of a request when it has ended, however it ended. */
export interface RequestEnd {
  method: string
  /** Name of the route: `store`, `read`; undefined where none took it. One of a closed set, never a path. */
  route: string | undefined
  /** Of the answer; 499 where the client went away before one began. */
  status: number
  /** Bytes of the request's body that were taken in. */
  bytesIn: number
  /** Bytes written to the client, head and body. */
  bytesOut: number
  /** From the end of the request's head to the end of the answer. */
  seconds: number
}

/**
 * Why a request was turned away before its work began: `overload` by a server with too much to do, `peer_rate` and
 * `address_rate` by the rate limits, `sockets` with its connection, `malformed` by the parser or its timers.
 */
export type TurnedAway = (typeof reasonsToTurnAway)[number]

export const reasonsToTurnAway = ['overload', 'peer_rate', 'address_rate', 'sockets', 'malformed'] as const

/**
 * What a server tells of its work to whoever watches. The calls are on the way of every request: they return at once
 * and never throw.
 */
export interface HttpInstruments {
  /** A request begins; calls `next` exactly once, before it returns, within whatever context it likes. */
  begin(req: IncomingMessage, res: ServerResponse, next: () => void): void
  /** Its answer has ended, or its connection is gone. */
  end(res: ServerResponse, end: RequestEnd): void
  turnedAway(why: TurnedAway): void
}

/** For a server that nobody watches. */
export const noHttpInstruments: HttpInstruments = {
  begin: (_req, _res, next) => next(),
  end: () => undefined,
  turnedAway: () => undefined,
}
