import type { Address } from '../../drivers/key.ts'
import { WireError } from '../../http/errors.ts'
import { type Authority, ownerCapability } from './authority.ts'
import type { AuthorityStore } from './authority-store.ts'
import { acceptedChallenges } from './challenge.ts'
import { readCredential } from './credential.ts'
import { addressOf, controls, type PublicKey } from './keys.ts'
import { verifyLegacyToken } from './legacy.ts'
import { refuseCredential } from './refusal.ts'
import { scopeCapabilities } from './scopes.ts'
import { checkV1Claims, issueTime, normalizeHubUrl, type V1Token, verifyV1Token, whitelistKey } from './v1.ts'
import { VerifiedTokens } from './verified-tokens.ts'

export interface AuthenticatorOptions {
  serverName: string
  requireCorrectHubUrl: boolean
  validHubUrls: readonly string[]
  /** Addresses that may sign; `null` for anybody. */
  whitelist: readonly string[] | null
  authorityStore: AuthorityStore
  /** Milliseconds since 1970. */
  now: () => number
}

export interface Authenticator {
  /**
   * Checks a credential for one address: every kind becomes one {@link Authority}.
   * @param header the Authorization header
   * @throws {WireError} `unauthorized`, `token_too_old`; or a DriverError where storage cannot tell
   */
  authenticate(header: string | undefined, address: Address): Promise<Authority>
  /**
   * Checks again what may have ended since: for right before a commit.
   * @throws {WireError} like `authenticate`
   */
  recheck(authority: Authority): Promise<void>
}

/** Tokens remembered; each takes about 1 KiB. */
const maxVerifiedTokens = 20_000

export function authenticator(options: AuthenticatorOptions): Authenticator {
  const verifiedTokens = new VerifiedTokens<V1Token>(maxVerifiedTokens)
  const challenges = acceptedChallenges(options.serverName)
  const hubUrls = options.requireCorrectHubUrl ? hubUrlSet(options) : null
  const whitelist = options.whitelist === null ? null : new Set(options.whitelist)

  async function authenticate(header: string | undefined, address: Address): Promise<Authority> {
    const credential = readCredential(header)
    switch (credential.kind) {
      case 'v1':
        return authenticateV1(credential.jwt, address)
      case 'legacy':
        return authenticateLegacy(credential.encoded, address)
    }
  }

  async function authenticateV1(jwt: string, address: Address): Promise<Authority> {
    const verified = verifiedTokens.verify(jwt, verifyV1Token)
    checkV1Claims(verified, { challenges, hubUrls, now: options.now() / 1000 })
    const { issuer, claims } = verified.token
    const scoped = scopeCapabilities(claims.scopes, address)
    checkWhitelist(whitelistKey(verified), whitelist)
    return inForce({
      ...ownersAuthority(issuer, address),
      capabilities: scoped ?? [ownerCapability(address)],
      issuedAt: issueTime(verified),
    })
  }

  async function authenticateLegacy(encoded: string, address: Address): Promise<Authority> {
    const key = verifyLegacyToken(encoded, challenges)
    checkWhitelist(key, whitelist)
    return inForce(ownersAuthority(key, address))
  }

  async function inForce(authority: Authority): Promise<Authority> {
    await recheck(authority)
    return authority
  }

  async function recheck(authority: Authority): Promise<void> {
    checkIssueTime(authority.issuedAt, await options.authorityStore.oldestValidSeconds(authority.address))
  }

  return { authenticate, recheck }
}

/** @throws {WireError} when the key is not the owner's */
function ownersAuthority(key: PublicKey, address: Address): Authority {
  if (!controls(key, address)) {
    throw refuseCredential(
      `the key that signed ("iss") controls ${addressOf(key)}, not the address of the request`,
    )
  }
  return {
    address,
    principal: key,
    isOwner: true,
    capabilities: [ownerCapability(address)],
    issuedAt: null,
    chain: [],
  }
}

function checkWhitelist(key: PublicKey, whitelist: ReadonlySet<string> | null): void {
  if (whitelist === null) return
  const address = addressOf(key)
  if (!whitelist.has(address))
    throw refuseCredential(`the address ${address} is not on the whitelist of this hub`)
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
