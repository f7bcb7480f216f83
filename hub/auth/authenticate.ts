import type { Address } from '../../drivers/key.ts'
import { WireError } from '../../http/errors.ts'
import { type HubInstruments, noHubInstruments } from '../instruments.ts'
import { type Authority, ownerCapability } from './authority.ts'
import type { AuthorityStore } from './authority-store.ts'
import { type Chains, chains, type SentChain } from './chains.ts'
import { acceptedChallenges } from './challenge.ts'
import { readCredential } from './credential.ts'
import { grantedTo, provenCapabilities } from './granted.ts'
import { hubDids } from './hub-did.ts'
import { addressOf, controls, type PublicKey } from './keys.ts'
import { verifyLegacyToken } from './legacy.ts'
import { refuseCredential, refuseUcan, refuseUncovered, refusingUcan } from './refusal.ts'
import { scopeCapabilities } from './scopes.ts'
import { parseUcansHeader, type VerifiedChain } from './ucan/index.ts'
import { checkV1Claims, issueTime, normalizeHubUrl, type V1Token, verifyV1Token, whitelistKey } from './v1.ts'
import { VerifiedTokens } from './verified-tokens.ts'

export interface AuthenticatorOptions {
  serverName: string
  requireCorrectHubUrl: boolean
  validHubUrls: readonly string[]
  /** Addresses that may sign; `null` for anybody. */
  whitelist: readonly string[] | null
  maxInvocationLifetimeSeconds: number
  authorityStore: AuthorityStore
  instruments?: Pick<HubInstruments, 'cache'>
  /** Milliseconds since 1970. */
  now: () => number
}

/** The headers that hold a credential. */
export interface CredentialHeaders {
  authorization?: string | undefined
  /** Tokens beside a UCAN, by CID (PROTOCOL 2.2). */
  ucans?: string | string[] | undefined
}

export interface Authenticator {
  /**
   * Checks a credential for one address: every kind becomes one {@link Authority}. One that is valid but allows
   * nothing there is an authority without capabilities, whose `refusal` says why.
   * @throws {WireError} `unauthorized`, `token_too_old`, `not_authorized`; or a DriverError where storage cannot tell
   */
  authenticate(headers: CredentialHeaders, address: Address): Promise<Authority>
  /** The verifier that it uses, for delegations that come in a body. */
  readonly chains: Chains
}

/** Tokens remembered; each takes about 1 KiB. */
const maxVerifiedTokens = 20_000

export function authenticator(options: AuthenticatorOptions): Authenticator {
  const { authorityStore, instruments = noHubInstruments } = options
  const verifiedTokens = new VerifiedTokens<V1Token>(maxVerifiedTokens, (isHit) =>
    instruments.cache('v1_tokens', isHit),
  )
  const challenges = acceptedChallenges(options.serverName)
  const hubUrls = options.requireCorrectHubUrl ? hubUrlSet(options) : null
  const whitelist = options.whitelist === null ? null : new Set(options.whitelist)
  const chainVerifier = chains({ ...options, hubDids: hubDids(options.serverName, options.validHubUrls) })
  const grantContext = { authorityStore, chains: chainVerifier }

  async function authenticate(headers: CredentialHeaders, address: Address): Promise<Authority> {
    const credential = readCredential(headers.authorization)
    switch (credential.kind) {
      case 'v1':
        return authenticateV1(credential.jwt, address)
      case 'legacy':
        return authenticateLegacy(credential.encoded, address)
      case 'ucan':
        return authenticateUcan({ jwt: credential.jwt, proofs: await readProofs(headers.ucans) }, address)
    }
  }

  async function authenticateV1(jwt: string, address: Address): Promise<Authority> {
    const now = options.now() / 1000
    const verified = verifiedTokens.verify(jwt, verifyV1Token)
    checkV1Claims(verified, { challenges, hubUrls, now })
    const { issuer, claims } = verified.token
    const scoped = scopeCapabilities(claims.scopes, address)
    checkWhitelist(whitelistKey(verified), whitelist)
    const isScoped = scoped !== null
    if (!controls(issuer, address)) {
      return throughGrants({ credential: 'v1', principal: issuer, isScoped, claimed: scoped }, address, now)
    }
    const capabilities = scoped ?? [ownerCapability(address)]
    return ownersAuthority(
      { credential: 'v1', principal: issuer, isScoped, capabilities },
      address,
      issueTime(verified),
    )
  }

  async function authenticateLegacy(encoded: string, address: Address): Promise<Authority> {
    const principal = verifyLegacyToken(encoded, challenges)
    checkWhitelist(principal, whitelist)
    if (!controls(principal, address)) {
      throw refuseCredential(
        `the key that signed controls ${addressOf(principal)}, not the address of the request`,
      )
    }
    const capabilities = [ownerCapability(address)]
    return ownersAuthority({ credential: 'legacy', principal, isScoped: false, capabilities }, address, null)
  }

  async function authenticateUcan(sent: SentChain, address: Address): Promise<Authority> {
    const now = options.now() / 1000
    const chain = await chainVerifier.invocation(sent, address, now)
    checkWhitelist(chain.principal, whitelist)
    if (chain.namesProofs || controls(chain.principal, address)) return invokersAuthority(chain, address)
    const writer = { credential: 'invocation' as const, principal: chain.principal, isScoped: false }
    if (chain.revoked !== null) throw refuseUcan(chain.revoked)
    return throughGrants({ ...writer, claimed: chain.claimed }, address, now, chain)
  }

  async function ownersAuthority(
    owner: Pick<Authority, 'credential' | 'principal' | 'isScoped' | 'capabilities'>,
    address: Address,
    issuedAt: number | null,
  ): Promise<Authority> {
    const authority: Authority = {
      ...owner,
      address,
      isOwner: true,
      claimed: null,
      revoked: null,
      refusal: (_serves, reason) => beyondScopes(reason),
      async renew() {
        checkIssueTime(issuedAt, await authorityStore.oldestValidSeconds(address))
        return authority
      },
    }
    return authority.renew()
  }

  /** A chain that came whole with the request. */
  function invokersAuthority(chain: VerifiedChain, address: Address): Authority {
    const authority: Authority = {
      address,
      credential: 'invocation',
      principal: chain.principal,
      isOwner: controls(chain.principal, address),
      isScoped: false,
      capabilities: provenCapabilities(chain),
      claimed: null,
      revoked: chain.revoked === null ? null : refuseUcan(chain.revoked),
      refusal(serves, reason) {
        const error = chain.refusal(serves)
        return error === null ? refuseUncovered(reason) : refuseUcan(error)
      },
      async renew() {
        const end = await chainVerifier.endOf(chain)
        if (end !== null) throw end
        return authority
      },
    }
    return authority
  }

  /**
   * A writer who is not the owner and brings no proof: what deposited grants give, looked up anew at each renewal.
   * @param own the writer's invocation, which may be revoked on its own
   */
  async function throughGrants(
    writer: Pick<Authority, 'credential' | 'principal' | 'isScoped' | 'claimed'>,
    address: Address,
    now: number,
    own: VerifiedChain | null = null,
  ): Promise<Authority> {
    const granted = await grantedTo(writer.principal, address, now, grantContext)
    const authority: Authority = {
      ...writer,
      address,
      isOwner: false,
      capabilities: granted.capabilities,
      revoked: null,
      refusal: (serves, reason) =>
        writer.isScoped && !writer.claimed?.some(serves)
          ? beyondScopes(reason)
          : granted.refusal(serves, reason),
      async renew() {
        const end = own === null ? null : await chainVerifier.endOf(own)
        if (end !== null) throw end
        return (await granted.isStillInForce()) ? authority : throughGrants(writer, address, now, own)
      },
    }
    return authority
  }

  return { authenticate, chains: chainVerifier }
}

/** @throws {WireError} `unauthorized` */
function readProofs(header: CredentialHeaders['ucans']): Promise<ReadonlyMap<string, string>> {
  return refusingUcan((async () => parseUcansHeader(Array.isArray(header) ? header.join(',') : header))())
}

function checkWhitelist(key: PublicKey, whitelist: ReadonlySet<string> | null): void {
  if (whitelist === null) return
  const address = addressOf(key)
  if (!whitelist.has(address))
    throw refuseCredential(`the address ${address} is not on the whitelist of this hub`)
}

/** An overreach of a scoped token is no `not-covered` but a 401, as in Gaia (PROTOCOL 1.4). */
function beyondScopes(reason: string): WireError {
  return refuseCredential(`the scopes of the token do not allow this: ${reason}`)
}

/** A token must say when it was issued once its owner has said how old a token may be. */
function checkIssueTime(issuedAt: number | null, oldestValid: number | null): void {
  if (oldestValid === null || (issuedAt !== null && issuedAt >= oldestValid)) return
  const found = issuedAt === null ? 'has no "iat"' : 'is older'
  throw new WireError(
    'token_too_old',
    `the owner accepts tokens issued ("iat") at ${oldestValid} or later only; this one ${found}`,
  )
}

function hubUrlSet({ serverName, validHubUrls }: AuthenticatorOptions): ReadonlySet<string> {
  return new Set([`https://${serverName}`, ...validHubUrls].map(normalizeHubUrl))
}
