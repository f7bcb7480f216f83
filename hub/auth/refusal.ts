import { WireError } from '../../http/errors.ts'
import { UcanError } from './ucan/index.ts'

/**
 * A credential that is refused for what it is: 401 `ValidationError`. The message names the claim or header at
 * fault and what was expected; it never holds any part of the credential.
 * @param code kebab-case, the reason for programs (PROTOCOL 2.3)
 */
export function refuseCredential(message: string, code?: string): WireError {
  return new WireError('unauthorized', message, code === undefined ? {} : { details: { code } })
}

/** A request beyond what a delegation allows: 403 `NotAuthorizedError`. */
export function refuseUncovered(message: string): WireError {
  return new WireError('not_authorized', message, { details: { code: 'not-covered' } })
}

/** What a refused UCAN is to a client: `not-covered` is 403, every other code 401 (PROTOCOL 2.3). */
export function refuseUcan(error: UcanError): WireError {
  const { code, link, claim, expected, message } = error
  return new WireError(code === 'not-covered' ? 'not_authorized' : 'unauthorized', message, {
    cause: error,
    details: { code, ...(link === null ? {} : { link }), ...(claim === null ? {} : { claim }), expected },
  })
}

/** Turns the verifier's refusals into answers, and lets everything else through. */
export async function refusingUcan<Result>(verification: Promise<Result>): Promise<Result> {
  try {
    return await verification
  } catch (error) {
    throw error instanceof UcanError ? refuseUcan(error) : error
  }
}
