import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Request, Response } from 'express'

/** What is known of a request while it is served, for the log. */
export interface RequestContext {
  /** Names this request in the log and in the `X-Request-Id` of its answer. */
  readonly id: string
  /** Name of the route, not the path: `store`, `list-files`, `read`. */
  route?: string
  /** The owner whose files it is about; only ever a text that `parseAddress` took. */
  address?: string
  /** Of the trace that the request belongs to, where it is traced. */
  traceId?: string
}

/** An id that a proxy gave is kept when it is short and harmless in a log and a header. */
const sane = /^[A-Za-z0-9._:-]{1,64}$/

/** Begins the context of a request; once, by the request log. */
export function beginContext(req: Request, res: Response): RequestContext {
  const given = req.headers['x-request-id']
  const context = { id: typeof given === 'string' && sane.test(given) ? given : randomUUID() }
  res.locals.context = context
  return context
}

/** The context of a request; undefined where no request log stands before. */
export function contextOf(res: Response): RequestContext | undefined {
  return res.locals.context as RequestContext | undefined
}

/** Tells the log which trace the request belongs to. */
export function noteTrace(res: ServerResponse, traceId: string): void {
  const context = contextOf(res as Response)
  if (context !== undefined) context.traceId = traceId
}

/** Tells the log which route serves the request, and whose files it is about. */
export function nameRoute(res: Response, route: string, address?: string): void {
  const context = contextOf(res)
  if (context === undefined) return
  context.route = route
  if (address !== undefined) context.address = address
}
