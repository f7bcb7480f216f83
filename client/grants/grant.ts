import type { Delegation } from '../delegation/delegation.ts'
import { InvalidInputError } from '../errors.ts'
import type { UcanCapability } from '../sign-ucan.ts'
import type { Need, Transport } from '../transport/transport.ts'
import { readCapabilities, readText, readTimeOrNull } from './answers.ts'

/** A grant as a hub has taken it. */
export interface Grant {
  readonly cid: string
  /** Who can use it: a `did:key` or a `did:pkh`. */
  readonly audience: string
  /** What of it is the bucket's. */
  readonly capabilities: readonly UcanCapability[]
  /** Seconds since 1970; `null` for never. */
  readonly expiration: number | null
}

export interface GrantCallOptions {
  signal?: AbortSignal
}

/**
 * Deposits a delegation at the hub of the bucket: its audience then writes with any credential of its own, a stock Gaia
 * client's too, and need not send the chain. Doing it twice changes nothing. The owner may, and whoever holds
 * `gaia/grant` for all of its paths.
 * @throws {UnauthorizedError} with the hub's code where the chain is not valid: `revoked`, `expired`, …
 * @throws {NotAuthorizedError} where the signer may not deposit it
 */
export async function depositGrant(
  transport: Transport,
  delegation: Delegation,
  { signal }: GrantCallOptions = {},
): Promise<Grant> {
  const needs = needsOf(transport.address, delegation)
  const body = {
    ucan: delegation.token,
    ...(delegation.isSelfContained ? {} : { proofs: delegation.proofs }),
  }
  const answer = await transport.requestJson('grant', body, { needs, signal })
  const grant = {
    cid: readText(answer, 'cid'),
    audience: readText(answer, 'audience'),
    capabilities: readCapabilities(answer),
    expiration: readTimeOrNull(answer, 'expiration'),
  }
  transport.credentials.noteGrant?.(grant.cid, 'deposited')
  return grant
}

/** To deposit it, the credential must hold `gaia/grant` over every path that the delegation speaks of. */
function needsOf(address: string, { capabilities }: Delegation): Need[] {
  const prefix = `gaia://${address}/`
  const paths = new Set(
    capabilities
      .filter(({ with: resource }) => resource.startsWith(prefix))
      .map((one) => one.with.slice(prefix.length)),
  )
  if (paths.size === 0) throw new InvalidInputError('the delegation is not about this bucket')
  return [...paths].map((path) => ({ ability: 'gaia/grant', path }))
}
