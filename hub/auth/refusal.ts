import { WireError } from '../../http/errors.ts'

/**
 * A credential that is refused for what it is: 401 `ValidationError`. The message names the claim or header at
 * fault and what was expected; it never holds any part of the credential.
 */
export function refuseCredential(message: string, code?: string): WireError {
  return new WireError('unauthorized', message, code === undefined ? {} : { details: { code } })
}
