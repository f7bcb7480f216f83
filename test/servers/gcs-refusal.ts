import type { ServerResponse } from 'node:http'

/** An answer that is an error. */
export class Refusal extends Error {
  readonly status: number
  readonly reason: string
  /** A condition that a reader is told of with 304 and no body. */
  readonly notModified: boolean

  constructor(status: number, reason: string, message: string, notModified = false) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.reason = reason
    this.notModified = notModified
  }
}

/** Media is answered with the bare message, everything else with the JSON of errors. */
export function refuse(res: ServerResponse, { status, reason, message }: Refusal, media: boolean): void {
  if (media) {
    res.writeHead(status, { 'Content-Type': 'text/html; charset=UTF-8' }).end(message)
    return
  }
  const body = { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } }
  res.writeHead(status, { 'Content-Type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body))
}
