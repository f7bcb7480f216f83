import { type ErrorCode, WireError } from '../http/errors.ts'
import { ucanErrorCodes } from './auth/ucan/errors.ts'
import type { HubInstruments } from './instruments.ts'

/** The refusals that are about the credential. */
const ofCredentials: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'token_too_old', 'not_authorized'])

/** However a credential may be judged: what {@link HubInstruments.credential} is told. */
export const credentialOutcomes: ReadonlySet<string> = new Set([
  'accepted',
  ...ofCredentials,
  ...ucanErrorCodes,
])

/**
 * Waits until it is decided whether a request is allowed, and tells how its credential was judged; not how the request
 * ends, which says nothing of that. Any other refusal of the hub's own comes after the credential was found to be good;
 * of what the storage refuses nobody can say.
 * @param judge once in each request
 */
export async function judged<Allowed>(
  instruments: HubInstruments,
  judge: () => Promise<Allowed>,
): Promise<Allowed> {
  let allowed: Allowed
  try {
    allowed = await judge()
  } catch (error) {
    if (error instanceof WireError) instruments.credential(outcomeOf(error))
    throw error
  }
  instruments.credential('accepted')
  return allowed
}

function outcomeOf({ code, details }: WireError): string {
  if (!ofCredentials.has(code)) return 'accepted'
  return typeof details.code === 'string' ? details.code : code
}
