import type { Request, Response } from 'express'
import type { Address } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { sendJson } from '../http/send-json.ts'
import type { Authority } from './auth/authority.ts'
import { coversGrantOf, mayGrant } from './auth/authorize.ts'
import type { Capability } from './auth/capability.ts'
import type { SentChain } from './auth/chains.ts'
import { provenCapabilities } from './auth/granted.ts'
import { namesHub } from './auth/hub-did.ts'
import { controls } from './auth/keys.ts'
import { maxGrants } from './auth/records/grants.ts'
import { refuseCredential, refuseUcan } from './auth/refusal.ts'
import { formatCapability, type VerifiedChain } from './auth/ucan/index.ts'
import type { Hub } from './hub.ts'
import { jsonBody } from './json-body.ts'
import { judged } from './judged.ts'
import { sentChain } from './sent-chain.ts'
import { refuseStranger } from './stranger.ts'
import { bucketTarget } from './target.ts'

/**
 * `POST /grant/<address>`: deposits a delegation, so that its audience can write with any credential of its own
 * (PROTOCOL 2.4). 201, or 200 where it was there before.
 */
export async function depositGrant(hub: Hub, req: Request, res: Response): Promise<void> {
  const address = bucketTarget(req, res)
  const { sent, chain } = await judged(hub.instruments, async () => {
    const authority = await hub.authenticator.authenticate(req.headers, address)
    const sent = sentChain(jsonBody(req))
    const chain = await hub.authenticator.chains.delegation(sent, address, hub.now() / 1000)
    if (namesHub(chain.audience)) throw audienceIsHub()
    checkDeposit(authority, chain)
    return { sent, chain }
  })

  const isNew = await deposit(hub, address, sent, chain)
  sendJson(res, isNew ? 201 : 200, {
    cid: chain.cid,
    audience: chain.audience,
    capabilities: provenCapabilities(chain).map(formatCapability),
    expiration: chain.expiration,
  })
}

/** Everything that the delegation hands on must be the owner's, and the depositor's to grant. */
function checkDeposit(authority: Authority, chain: VerifiedChain): void {
  const proven = provenCapabilities(chain)
  if (chain.revoked !== null || proven.length === 0 || proven.length < chain.claimed.length)
    throw refuseUnproven(chain)
  if (mayGrant(authority, proven)) return
  throw refuseStranger(
    authority,
    (held) => proven.every((capability) => coversGrantOf(held, capability)),
    uncovered,
  )
}

const uncovered =
  'only the owner, or a holder of gaia/grant for all of its paths, may deposit this delegation'

/** In PROTOCOL 2.3's order: root, revocation, coverage. */
function refuseUnproven(chain: VerifiedChain): WireError {
  const isRooted = chain.tokens.some(({ issuer }) => controls(issuer, chain.address))
  if (chain.claimed.length === 0 && chain.revoked === null && !isRooted) {
    return refuseCredential('the delegation does not come from the owner of the address', 'root-not-owner')
  }
  const unproven = (capability: Capability) => !chain.capabilities.includes(capability)
  const error = chain.refusal(unproven) ?? chain.revoked
  return error === null
    ? refuseCredential('the delegation names nothing of this address', 'not-covered')
    : refuseUcan(error)
}

async function deposit(hub: Hub, address: Address, sent: SentChain, chain: VerifiedChain): Promise<boolean> {
  if ((await hub.authorityStore.grant(address, chain.cid)) !== null) return false
  const others = await hub.authorityStore.grants(address)
  if (others.length >= maxGrants) {
    throw new WireError('invalid_input', `the address has ${maxGrants} grants, the most that one may have`)
  }
  const needed = chain.tokens.map(({ cid }) => sent.proofs.get(cid)).filter((proof) => proof !== undefined)
  return hub.authorityStore.deposit(address, {
    cid: chain.cid,
    ucan: sent.jwt,
    proofs: needed,
    audience: chain.audience,
    depositedAt: Math.floor(hub.now() / 1000),
  })
}

function audienceIsHub(): WireError {
  return new WireError(
    'invalid_input',
    'the audience of the delegation is a hub; it must be the key of a writer',
  )
}
