import type { Request, Response } from 'express'
import type { Address } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { sendJson } from '../http/send-json.ts'
import type { Authority } from './auth/authority.ts'
import { mayGrant } from './auth/authorize.ts'
import type { Capability } from './auth/capability.ts'
import { byCid } from './auth/chains.ts'
import { provenCapabilities } from './auth/granted.ts'
import type { StoredGrant } from './auth/records/grants.ts'
import { refuseCredential } from './auth/refusal.ts'
import { formatCapability, isCid, namesKey, type VerifiedChain } from './auth/ucan/index.ts'
import type { Hub } from './hub.ts'
import { invalidMember, jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { bucketTarget } from './target.ts'

/** Grants on one page. */
const pageSize = 100

/** One grant as it is listed (PROTOCOL 2.4). */
interface GrantEntry {
  cid: string
  audience: string
  issuer: string
  capabilities: ReturnType<typeof formatCapability>[]
  /** Seconds since 1970; `null` for never. */
  expiration: number | null
  notBefore: number | null
  /** Whether any link of it is revoked, or cut off by the owner's oldest valid timestamp. */
  revoked: boolean
}

/**
 * `POST /list-grants/<address>`: the deposited grants that have not expired, in the order of their CIDs. The owner
 * sees all, a holder of `gaia/grant` those within its paths, anybody those made out to its own key.
 */
export async function listGrants(hub: Hub, req: Request, res: Response): Promise<void> {
  const address = bucketTarget(req, res)
  const authority = await judged(hub.instruments, async () => {
    const authority = await hub.authenticator.authenticate(req.headers, address)
    if (authority.isScoped) throw refuseCredential('a token with scopes lists no grants')
    if (authority.revoked !== null) throw authority.revoked
    return authority
  })
  const { audience, page } = readRequest(jsonBody(req))

  const grants = (await hub.authorityStore.grants(address))
    .filter(
      (grant) => (page === null || grant.cid > page) && (audience === null || grant.audience === audience),
    )
    .sort((a, b) => (a.cid < b.cid ? -1 : 1))
  const entries: GrantEntry[] = []
  for (const grant of grants) {
    const entry = await visibleEntry(hub, authority, address, grant)
    // One more than a page holds tells that another page follows.
    if (entry !== null && entries.push(entry) > pageSize) break
  }
  const shown = entries.slice(0, pageSize)
  sendJson(res, 202, { entries: shown, page: entries.length > pageSize ? (shown.at(-1)?.cid ?? null) : null })
}

async function visibleEntry(
  hub: Hub,
  authority: Authority,
  address: Address,
  grant: StoredGrant,
): Promise<GrantEntry | null> {
  const chain = await verifiedOrNull(hub, address, grant)
  if (chain === null) return null
  const capabilities = chain.revoked === null ? provenCapabilities(chain) : [...chain.revokedCapabilities]
  if (!isVisible(authority, chain, capabilities)) return null
  return {
    cid: chain.cid,
    audience: chain.audience,
    issuer: chain.principal.did,
    capabilities: capabilities.map(formatCapability),
    expiration: chain.expiration,
    notBefore: chain.notBefore,
    revoked: chain.revoked !== null,
  }
}

function isVisible(authority: Authority, chain: VerifiedChain, capabilities: readonly Capability[]): boolean {
  if (authority.isOwner || namesKey(chain.audience, authority.principal)) return true
  return capabilities.length > 0 && mayGrant(authority, capabilities)
}

/** An expired grant, or one that was damaged in storage, is none. */
async function verifiedOrNull(hub: Hub, address: Address, grant: StoredGrant): Promise<VerifiedChain | null> {
  const sent = { jwt: grant.ucan, proofs: byCid(grant.proofs) }
  try {
    return await hub.authenticator.chains.delegation(sent, address, hub.now() / 1000)
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

function readRequest(body: Readonly<Record<string, unknown>>): {
  audience: string | null
  page: string | null
} {
  const { audience = null, page = null } = body
  if (audience !== null && typeof audience !== 'string') throw invalidMember('audience', 'a DID')
  if (page !== null && (typeof page !== 'string' || !isCid(page))) {
    throw invalidMember('page', 'null or the "page" of a former answer')
  }
  return { audience, page }
}
