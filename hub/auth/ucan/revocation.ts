import { controls } from '../keys.ts'
import { UcanError } from './errors.ts'
import type { ChainToken, TokenGraph } from './graph.ts'
import { clockLeewaySeconds } from './limits.ts'

/** What owners have said; both reject where it cannot be read, and nothing is let through then. */
export interface RevocationLookups {
  /** The address's oldest valid timestamp in whole seconds, `null` where none was set. */
  oldestValidSeconds(address: string): Promise<number | null>
  /** Whether a delegation, by its revocation id, is revoked at an address. */
  isRevoked(address: string, revocationId: string): Promise<boolean>
}

/** Tokens that begin a chain at an address: the owner's own that speak of it. */
export function rootsAt(graph: TokenGraph, address: string): ChainToken[] {
  return [...graph.tokens.values()].filter(
    ({ ucan }) =>
      controls(ucan.issuer, address) &&
      ucan.capabilities.some((capability) => capability.address === address),
  )
}

/**
 * Whether an owner's oldest valid timestamp ends what was issued then. Without an issue time nobody can tell, and
 * one that lies ahead is no issue time (PROTOCOL 2.2).
 * @param issuedAt seconds since 1970, or `null` for unknown
 * @param oldestValid seconds since 1970, or `null` for none set
 */
function isCutOff(issuedAt: number | null, oldestValid: number | null, now: number): boolean {
  if (oldestValid === null) return false
  return issuedAt === null || issuedAt < oldestValid || issuedAt > now + clockLeewaySeconds
}

/**
 * Looks for a revocation of any token of the chain at the address of the request, and of any delegation at the other
 * addresses that it speaks of: one that is revoked or cut off anywhere refuses the whole.
 * @param delegations the tokens to look for there too
 */
export async function findRevocation(
  graph: TokenGraph,
  address: string,
  lookups: RevocationLookups,
  now: number,
  delegations: readonly ChainToken[],
): Promise<UcanError | null> {
  const tokens = [...graph.tokens.values()]
  const counting = new Set(delegations)
  const addresses = new Set([address, ...delegations.flatMap(addressesOf)])
  const checks = [...addresses].flatMap((place) => [
    ...tokens
      .filter((token) => place === address || (counting.has(token) && speaksOf(token, place)))
      .map((token) => findRevoked(token, place, lookups)),
    ...rootsAt(graph, place)
      .filter((token) => place === address || counting.has(token))
      .map((token) => findCutOff(token, place, lookups, now)),
  ])
  const found = await Promise.all(checks)
  return found.find((error) => error !== null) ?? null
}

function addressesOf({ ucan }: ChainToken): string[] {
  return ucan.capabilities.map((capability) => capability.address)
}

function speaksOf({ ucan }: ChainToken, address: string): boolean {
  return ucan.capabilities.some((capability) => capability.address === address)
}

async function findRevoked(
  { ucan, link }: ChainToken,
  address: string,
  lookups: RevocationLookups,
): Promise<UcanError | null> {
  if (!(await lookups.isRevoked(address, ucan.revocationId))) return null
  return new UcanError('revoked', { link, expected: 'a delegation that nobody in its chain has revoked' })
}

async function findCutOff(
  { ucan, link }: ChainToken,
  address: string,
  lookups: RevocationLookups,
  now: number,
): Promise<UcanError | null> {
  if (!isCutOff(ucan.issuedAt, await lookups.oldestValidSeconds(address), now)) return null
  return new UcanError('revoked', {
    link,
    claim: 'iat',
    expected: "an issue time from the owner's oldest valid timestamp up to now",
  })
}
