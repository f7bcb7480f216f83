import { type ErrorCode, WireError } from '../http/errors.ts'
import { ucanErrorCodes } from './auth/ucan/errors.ts'
import type { HubInstruments } from './instruments.ts'

/** The refusals that are about the credential. */
const ofCredentials: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'token_too_old',
  'not_authorized',
  'not_enough_proofs',
])

/** However a credential may be judged: what {@link HubInstruments.credential} is told. */
export const credentialOutcomes: ReadonlySet<string> = new Set([
  'accepted',
  ...ofCredentials,
  ...ucanErrorCodes,
])

/**
 * Waits for an operation and tells how its credential was judged. Any other refusal of the hub's own comes after
 * that; of what the storage refuses nobody can say.
 */
export async function tellJudgement(operation: Promise<void>, instruments: HubInstruments): Promise<void> {
  try {
    await operation
  } catch (error) {
    if (error instanceof WireError) instruments.credential(outcomeOf(error))
    throw error
  }
  instruments.credential('accepted')
}

function outcomeOf({ code, details }: WireError): string {
  if (!ofCredentials.has(code)) return 'accepted'
  return typeof details.code === 'string' ? details.code : code
}
