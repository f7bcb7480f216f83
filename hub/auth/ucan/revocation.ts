import { controls } from '../keys.ts'
import { once } from '../once.ts'
import { UcanError } from './errors.ts'
import type { ChainToken, TokenGraph } from './graph.ts'
import { clockLeewaySeconds } from './limits.ts'

/** What owners have said; both reject where it cannot be read, and nothing is let through then. */
export interface RevocationLookups {
  /** The address's oldest valid timestamp in whole seconds, `null` where none was set. */
  oldestValidSeconds(address: string): number | null | Promise<number | null>
  /** Whether a delegation, by its revocation id, is revoked at an address. */
  isRevoked(address: string, revocationId: string): boolean | Promise<boolean>
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

/** Where to look for what, for one chain. */
export interface RevocationPlan {
  readonly places: ReadonlyArray<{
    readonly address: string
    /** Tokens that a revocation there ends. */
    readonly tokens: readonly ChainToken[]
    /** Tokens that the oldest valid timestamp there may cut off. */
    readonly roots: readonly ChainToken[]
  }>
}

/**
 * Any token of the chain counts at the address of the request, and any delegation at the other addresses that it
 * speaks of: one that is revoked or cut off anywhere refuses the whole.
 * @param delegations the tokens to look for there too
 */
export function planRevocation(
  graph: TokenGraph,
  address: string,
  delegations: readonly ChainToken[],
): RevocationPlan {
  const addresses = new Set([address, ...delegations.flatMap(addressesOf)])
  const places = [...addresses].map((place) => {
    const roots = rootsAt(graph, place)
    if (place === address) return { address, tokens: [...graph.tokens.values()], roots }
    return {
      address: place,
      tokens: delegations.filter((token) => speaksOf(token, place)),
      roots: roots.filter((root) => delegations.includes(root)),
    }
  })
  return { places }
}

/** Looks for what ends a chain, as of now. @param now seconds since 1970 */
export async function findRevocation(
  { places }: RevocationPlan,
  lookups: RevocationLookups,
  now: number,
): Promise<UcanError | null> {
  const found: Array<UcanError | null | Promise<UcanError | null>> = []
  for (const { address, tokens, roots } of places) {
    for (const token of tokens) found.push(findRevoked(token, address, lookups))
    for (const root of roots) found.push(findCutOff(root, address, lookups, now))
  }
  const isKnown = found.every((one) => !(one instanceof Promise))
  const all = isKnown ? (found as Array<UcanError | null>) : await Promise.all(found.map(async (one) => one))
  return all.find((error) => error !== null) ?? null
}

function addressesOf({ ucan }: ChainToken): string[] {
  return ucan.capabilities.map((capability) => capability.address)
}

function speaksOf({ ucan }: ChainToken, address: string): boolean {
  return ucan.capabilities.some((capability) => capability.address === address)
}

function findRevoked(
  { ucan, link }: ChainToken,
  address: string,
  lookups: RevocationLookups,
): UcanError | null | Promise<UcanError | null> {
  return once(lookups.isRevoked(address, ucan.revocationId), (isRevoked) =>
    isRevoked
      ? new UcanError('revoked', { link, expected: 'a delegation that nobody in its chain has revoked' })
      : null,
  )
}

function findCutOff(
  { ucan, link }: ChainToken,
  address: string,
  lookups: RevocationLookups,
  now: number,
): UcanError | null | Promise<UcanError | null> {
  return once(lookups.oldestValidSeconds(address), (oldestValid) =>
    isCutOff(ucan.issuedAt, oldestValid, now)
      ? new UcanError('revoked', {
          link,
          claim: 'iat',
          expected: "an issue time from the owner's oldest valid timestamp up to now",
        })
      : null,
  )
}
