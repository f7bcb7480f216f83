import type { Request, Response } from 'express'
import type { Address } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { sendJson } from '../http/send-json.ts'
import type { Authority } from './auth/authority.ts'
import { isOwnership, isWholeOwner } from './auth/authorize.ts'
import { byCid, type SentChain } from './auth/chains.ts'
import { controls } from './auth/keys.ts'
import { refuseCredential, refuseUcan } from './auth/refusal.ts'
import { isCid, type VerifiedChain } from './auth/ucan/index.ts'
import type { Hub } from './hub.ts'
import { invalidMember, jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { sentChain } from './sent-chain.ts'
import { refuseStranger } from './stranger.ts'
import { bucketTarget } from './target.ts'

/**
 * `POST /revoke/<address>`: ends a delegation, and every chain that passes through it, for good (PROTOCOL 2.4). The
 * owner may, and each issuer of the delegation's own chain.
 */
export async function revoke(hub: Hub, req: Request, res: Response): Promise<void> {
  const address = bucketTarget(req, res)
  const { authority, chain } = await judged(hub.instruments, async () => {
    const authority = await hub.revocationAuthenticator.authenticate(req.headers, address)
    if (authority.isScoped) throw refuseCredential('a token with scopes revokes nothing')
    if (authority.revoked !== null) throw authority.revoked
    const sent = await requestedChain(hub, address, jsonBody(req))
    const chain = await hub.authenticator.chains.revocation(sent, address, hub.now() / 1000)
    checkMayRevoke(authority, chain)
    return { authority, chain }
  })

  await hub.authorityStore.revoke(address, {
    revocationId: chain.revocationId,
    cid: chain.cid,
    revokedBy: authority.principal.did,
    revokedAt: Math.floor(hub.now() / 1000),
    expiration: chain.expiration,
  })
  sendJson(res, 202, { status: 'success', cid: chain.cid })
}

/** @throws {WireError} `not_found` for a CID under which nothing is deposited */
async function requestedChain(
  hub: Hub,
  address: Address,
  body: Readonly<Record<string, unknown>>,
): Promise<SentChain> {
  if (body.cid === undefined || body.cid === null) return sentChain(body)
  if (typeof body.cid !== 'string' || body.cid === '')
    throw invalidMember('cid', 'the CID of a deposited grant')
  const grant = isCid(body.cid) ? await hub.authorityStore.grant(address, body.cid) : null
  if (grant === null) {
    throw new WireError(
      'not_found',
      'no grant with this "cid" is deposited; send the delegation itself as "ucan"',
    )
  }
  return { jwt: grant.ucan, proofs: byCid(grant.proofs) }
}

/** Whoever is outside of the chain changes nothing, and nobody leaves records at an address with chains of its own. */
function checkMayRevoke(authority: Authority, chain: VerifiedChain): void {
  if (isWholeOwner(authority)) return
  // The owner is an issuer too, but its invocation must ask for everything: a narrow one is not made to revoke.
  const isIssuer =
    !authority.isOwner && chain.tokens.some(({ issuer }) => issuer.did === authority.principal.did)
  if (!isIssuer)
    throw refuseStranger(authority, isOwnership, 'only the owner or an issuer of its chain may revoke this')
  const isRooted = chain.tokens.some(({ issuer }) => controls(issuer, chain.address))
  if (!isRooted && !restsOnGrants(authority, chain)) throw refuseUnrooted(chain)
}

/** A writer's own invocation that names no proof rests on its deposited grants (PROTOCOL 2.3, way B). */
function restsOnGrants(authority: Authority, chain: VerifiedChain): boolean {
  return (
    !chain.namesProofs &&
    chain.principal.did === authority.principal.did &&
    authority.capabilities.some(({ address }) => address === authority.address)
  )
}

/** Of a chain that is not at hand as a whole, nobody can say where it begins. */
function refuseUnrooted(chain: VerifiedChain): WireError {
  const error = chain.refusal(() => true)
  return error?.code === 'missing-proof'
    ? refuseUcan(error)
    : refuseCredential('the delegation does not come from the owner of the address', 'root-not-owner')
}
