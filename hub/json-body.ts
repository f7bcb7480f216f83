import type { Request } from 'express'
import { WireError } from '../http/errors.ts'

/**
 * The members of a JSON body; an empty body has none.
 * @throws {WireError} `invalid_input` when it is anything but an object
 */
export function jsonBody(req: Request): Readonly<Record<string, unknown>> {
  const body: unknown = req.body ?? {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new WireError('invalid_input', 'the body must be a JSON object')
  }
  return body as Record<string, unknown>
}

/** A member of a body that is not what it should be. */
export function invalidMember(name: string, expected: string): WireError {
  return new WireError('invalid_input', `"${name}" in the body must be ${expected}`)
}
