import { audienceOf } from '../delegation/recipients.ts'
import { namesKey } from '../did.ts'
import { BadAnswerError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { readCapabilities, readText, readTimeOrNull } from './answers.ts'
import type { Grant, GrantCallOptions } from './grant.ts'

/** A grant as a hub lists it. */
export interface ListedGrant extends Grant {
  /** `did:key` of who handed on. */
  readonly issuer: string
  /** Seconds since 1970; `null`: as soon as what it rests on. */
  readonly notBefore: number | null
  /** Whether any link of it is revoked, or cut off by a revoke-all. */
  readonly revoked: boolean
}

export interface ListGrantsOptions extends GrantCallOptions {
  /**
   * Those to one recipient: a DID or an address. A grant to an address (`did:pkh`) and one to its key (`did:key`) are
   * two recipients here, since the hub compares what stands in the grant.
   */
  audience?: string
}

/**
 * The deposited grants of a bucket that have not expired, in the order of their CIDs. The owner sees all, a holder of
 * `gaia/grant` those within its paths, anybody those made out to its own key. A change in between is not noticed.
 */
export async function* listGrants(
  transport: Transport,
  { audience, signal }: ListGrantsOptions = {},
): AsyncGenerator<ListedGrant> {
  const filter = audience === undefined ? {} : { audience: audienceOf(audience) }
  const needs = [{ ability: 'gaia/grant', path: '' }]
  let page: string | null = null
  do {
    const answer: Readonly<Record<string, unknown>> = await transport.requestJson(
      'list-grants',
      { page, ...filter },
      { needs, signal },
    )
    for (const grant of readEntries(answer)) {
      if (namesKey(grant.audience, transport.did)) noteState(transport, grant)
      yield grant
    }
    page = nextPage(answer, page)
  } while (page !== null)
}

/** What is deposited for the signer itself need not be sent by it. */
function noteState({ credentials }: Transport, { cid, revoked }: ListedGrant): void {
  credentials.noteGrant?.(cid, revoked ? 'revoked' : 'deposited')
}

function readEntries({ entries }: Readonly<Record<string, unknown>>): ListedGrant[] {
  if (!Array.isArray(entries)) throw new BadAnswerError('the hub gave no list of grants')
  return entries.map((entry: unknown) => {
    const members = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>
    return {
      cid: readText(members, 'cid'),
      audience: readText(members, 'audience'),
      issuer: readText(members, 'issuer'),
      capabilities: readCapabilities(members),
      expiration: readTimeOrNull(members, 'expiration'),
      notBefore: readTimeOrNull(members, 'notBefore'),
      revoked: members.revoked === true,
    }
  })
}

/** Pages go on by CID, so that they rise. */
function nextPage({ page }: Readonly<Record<string, unknown>>, last: string | null): string | null {
  if (typeof page !== 'string' || page === '') return null
  if (last !== null && page <= last)
    throw new BadAnswerError('the hub gives one page of grants again and again')
  return page
}
