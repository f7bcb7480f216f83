import { compareKeys } from '../../drivers/key.ts'
import type { Authority } from './authority.ts'
import { abilityCovers, type Capability, type Reach, reachCovers, reaches } from './capability.ts'

/** What a request wants to do at its address. Paths are decoded. */
export type Action =
  | {
      readonly kind: 'store'
      readonly path: string
      /** Bytes, or `null` where the request does not declare it. */
      readonly size: number | null
      readonly contentType: string
    }
  | { readonly kind: 'delete'; readonly path: string }

/** How an allowed operation has to be carried out. */
export interface Permit {
  /** `archive` keeps the former content under a history name. */
  readonly mode: 'plain' | 'archive'
  /** The most bytes that the file may have by the credential, `null` for no such bound. */
  readonly maxSize: number | null
  /** Nothing that exists may be replaced. */
  readonly createOnly: boolean
}

/** Names under which archival writes keep former versions. */
export const historyPrefix = '.history.'

/** Whether the last segment of a path is the name of a former version. */
export function isHistoryPath(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(historyPrefix)
}

/**
 * Decides on an operation, purely: capabilities × action → a permit. Of several capabilities that serve, the one
 * that asks for least is taken: an overwrite before a create-only one, a plain write before an archival one, the
 * larger file before the smaller. Where the writer's own credential narrows what a grant gives, both bind.
 * @throws {WireError} the authority's own refusal
 */
export function authorize(authority: Authority, action: Action): Permit {
  const granted = bestPermit(authority.capabilities, authority.address, action)
  const claimed =
    authority.claimed === null ? granted : bestPermit(authority.claimed, authority.address, action)
  if (granted !== null && claimed !== null) return bothPermits(granted, claimed)
  throw authority.refusal((capability) => permitBy(capability, action) !== null, refusalReason(action))
}

function bestPermit(capabilities: readonly Capability[], address: string, action: Action): Permit | null {
  const permits = capabilities
    .filter((capability) => capability.address === address)
    .map((capability) => permitBy(capability, action))
    .filter((permit) => permit !== null)
  return permits.sort(compareLiberty)[0] ?? null
}

function bothPermits(a: Permit, b: Permit): Permit {
  if (a === b) return a
  return {
    mode: a.mode === 'archive' ? 'archive' : b.mode,
    createOnly: a.createOnly || b.createOnly,
    maxSize:
      a.maxSize === null || b.maxSize === null ? (a.maxSize ?? b.maxSize) : Math.min(a.maxSize, b.maxSize),
  }
}

/**
 * Which names of the address may be listed.
 * @throws {WireError} the authority's own refusal where no capability allows listing anything
 */
export function listableNames(authority: Authority): Listable {
  const granted = listableReaches(authority.capabilities, authority.address)
  const claimed = authority.claimed === null ? granted : listableReaches(authority.claimed, authority.address)
  if (granted.length === 0 || claimed.length === 0) {
    throw authority.refusal(allowsListing, 'no capability of the credential covers listing')
  }
  const hidesHistory = hasArchivalScope(authority)
  return {
    reaches: claimed === granted ? granted : disjoint(granted.flatMap((reach) => meets(reach, claimed))),
    isHidden: (name) => hidesHistory && isHistoryPath(name),
  }
}

/** The names that a credential may list. */
export interface Listable {
  /** Where they are: disjoint, in key order. */
  readonly reaches: readonly Reach[]
  /** Whether a name within them is not told. */
  isHidden(name: string): boolean
}

/** What of the reaches lies below the beginning of a path. */
export function narrowReaches(reaches: readonly Reach[], prefix: string): Reach[] {
  return meets({ kind: 'prefix', path: prefix }, reaches)
}

function listableReaches(capabilities: readonly Capability[], address: string): Reach[] {
  return disjoint(
    capabilities
      .filter((capability) => capability.address === address && allowsListing(capability))
      .map(({ reach }) => reach),
  )
}

/** What one reach has in common with others. */
function meets(reach: Reach, others: readonly Reach[]): Reach[] {
  return others.flatMap((other) => {
    if (reachCovers(reach, other)) return [other]
    return reachCovers(other, reach) ? [reach] : []
  })
}

/** The same names by the fewest reaches, in key order. */
function disjoint(all: readonly Reach[]): Reach[] {
  const kept: Reach[] = []
  for (const reach of [...all].sort(compareReaches)) {
    const last = kept.at(-1)
    if (last === undefined || !reachCovers(last, reach)) kept.push(reach)
  }
  return kept
}

/** Whatever covers another reach stands before it. */
function compareReaches(a: Reach, b: Reach): number {
  return compareKeys(a.path, b.path) || Number(a.kind === 'file') - Number(b.kind === 'file')
}

function allowsListing(capability: Capability): boolean {
  return abilityCovers(capability.ability, 'gaia/list')
}

/**
 * Whether the credential may deposit a delegation of these capabilities: it must hold `gaia/grant`, or `*`, over the
 * paths of each.
 */
export function mayGrant(authority: Authority, capabilities: readonly Capability[]): boolean {
  const layers =
    authority.claimed === null ? [authority.capabilities] : [authority.capabilities, authority.claimed]
  return layers.every((held) =>
    capabilities.every((wanted) =>
      held.some(
        (capability) => capability.address === authority.address && coversGrantOf(capability, wanted),
      ),
    ),
  )
}

/** Whether one capability is leave to grant another one. */
export function coversGrantOf(held: Capability, wanted: Capability): boolean {
  return abilityCovers(held.ability, 'gaia/grant') && reachCovers(held.reach, wanted.reach)
}

/** Whether the credential writes with history at some path: such a one lists no history names (PROTOCOL 1.4). */
function hasArchivalScope(authority: Authority): boolean {
  return [...authority.capabilities, ...(authority.claimed ?? [])].some(
    (capability) => capability.ability === 'gaia/archive',
  )
}

/**
 * Whether the credential speaks for the owner in all things: it is signed by a key that controls the address
 * and holds `*` on the whole of it. Revoke-all and revocations of any delegation need this.
 */
export function isWholeOwner(authority: Authority): boolean {
  return (
    authority.isOwner &&
    authority.capabilities.some((held) => held.address === authority.address && isOwnership(held))
  )
}

/** Whether a capability is all that an owner can do. */
export function isOwnership({ ability, reach, caveats }: Capability): boolean {
  return ability === '*' && reach.kind === 'below' && reach.path === '' && Object.keys(caveats).length === 0
}

function permitBy(capability: Capability, action: Action): Permit | null {
  if (!reaches(capability.reach, action.path)) return null
  return action.kind === 'store' ? storePermit(capability, action) : deletePermit(capability, action.path)
}

function storePermit(capability: Capability, action: Action & { kind: 'store' }): Permit | null {
  const mode = writeMode(capability, 'gaia/store', action.path)
  const { maxSize = null, contentType, createOnly = false } = capability.caveats
  if (mode === null || (mode === 'archive' && createOnly)) return null
  if (maxSize !== null && action.size !== null && action.size > maxSize) return null
  if (contentType !== undefined && !matchesContentType(contentType, action.contentType)) return null
  return { mode, maxSize, createOnly }
}

function deletePermit(capability: Capability, path: string): Permit | null {
  const mode = writeMode(capability, 'gaia/delete', path)
  if (mode === null || capability.caveats.createOnly || capability.storeOnly) return null
  return { mode, maxSize: null, createOnly: false }
}

function writeMode(
  capability: Capability,
  ability: 'gaia/store' | 'gaia/delete',
  path: string,
): Permit['mode'] | null {
  if (abilityCovers(capability.ability, ability)) return 'plain'
  // "An archive writer cannot write to a .history. name" (PROTOCOL 2.1): history would not be history.
  return capability.ability === 'gaia/archive' && !isHistoryPath(path) ? 'archive' : null
}

/** RFC 9110 5.6.2 and 8.3.1: a type, a subtype and parameters, each with a token or a quoted text. */
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const mediaType = new RegExp(
  `^(${token}/${token})(?:[ \\t]*;(?:[ \\t]*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))?)*[ \\t]*$`,
)

/**
 * Compares without parameters and in lower case; `image/*` takes every subtype. What is not one media type is
 * covered by nothing: of `image/png, text/html` a browser takes the last one.
 */
function matchesContentType(allowed: readonly string[], contentType: string): boolean {
  const type = mediaType.exec(contentType)?.[1]?.toLowerCase()
  if (type === undefined) return false
  return allowed.some((pattern) =>
    pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern,
  )
}

function compareLiberty(a: Permit, b: Permit): number {
  if (a.createOnly !== b.createOnly) return a.createOnly ? 1 : -1
  if (a.mode !== b.mode) return a.mode === 'plain' ? -1 : 1
  return (b.maxSize ?? Number.POSITIVE_INFINITY) === (a.maxSize ?? Number.POSITIVE_INFINITY)
    ? 0
    : (b.maxSize ?? Number.POSITIVE_INFINITY) - (a.maxSize ?? Number.POSITIVE_INFINITY)
}

function refusalReason(action: Action): string {
  const what = action.kind === 'store' ? 'a store of this path, size and type' : 'a delete of this path'
  return `no capability of the credential covers ${what}`
}
