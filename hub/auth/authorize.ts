import type { Authority } from './authority.ts'
import { abilityCovers, type Capability, reaches } from './capability.ts'

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

export type Decision =
  | { readonly allowed: true; readonly permit: Permit }
  | { readonly allowed: false; readonly reason: string }

/** Names under which archival writes keep former versions. */
export const historyPrefix = '.history.'

/** Whether the last segment of a path is the name of a former version. */
export function isHistoryPath(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(historyPrefix)
}

/**
 * Decides on an operation, purely: capabilities × action → a permit or a reason. Of several capabilities that
 * serve, the one that asks for least is taken: a plain write before an archival one, an overwrite before a
 * create-only one, the larger file before the smaller.
 */
export function authorize(authority: Authority, action: Action): Decision {
  const permits = authority.capabilities
    .filter((capability) => capability.address === authority.address)
    .map((capability) => permitBy(capability, action))
    .filter((permit) => permit !== null)
    .sort(compareLiberty)
  const permit = permits[0]
  if (permit !== undefined) return { allowed: true, permit }
  return { allowed: false, reason: refusalReason(action) }
}

/**
 * The paths below which names may be listed: the reaches of every capability that allows it.
 */
export function listableReaches(authority: Authority): Capability['reach'][] {
  return authority.capabilities
    .filter(
      (capability) =>
        capability.address === authority.address && abilityCovers(capability.ability, 'gaia/list'),
    )
    .map((capability) => capability.reach)
}

/** Whether the credential writes with history at some path: such a one lists no history names (PROTOCOL 1.4). */
export function hasArchivalScope(authority: Authority): boolean {
  return authority.capabilities.some((capability) => capability.ability === 'gaia/archive')
}

/**
 * Whether the credential speaks for the owner in all things: it is signed by a key that controls the address
 * and holds `*` on the whole of it. Revoke-all and revocations of any delegation need this.
 */
export function isWholeOwner(authority: Authority): boolean {
  return (
    authority.isOwner &&
    authority.capabilities.some(
      ({ address, ability, reach, caveats }) =>
        address === authority.address &&
        ability === '*' &&
        reach.kind === 'below' &&
        reach.path === '' &&
        Object.keys(caveats).length === 0,
    )
  )
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
  if (mode === null || capability.caveats.createOnly) return null
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

/** Compares without parameters and in lower case; `image/*` takes every subtype. */
function matchesContentType(allowed: readonly string[], contentType: string): boolean {
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
  return allowed.some((pattern) =>
    pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern,
  )
}

function compareLiberty(a: Permit, b: Permit): number {
  if (a.mode !== b.mode) return a.mode === 'plain' ? -1 : 1
  if (a.createOnly !== b.createOnly) return a.createOnly ? 1 : -1
  return (b.maxSize ?? Number.POSITIVE_INFINITY) === (a.maxSize ?? Number.POSITIVE_INFINITY)
    ? 0
    : (b.maxSize ?? Number.POSITIVE_INFINITY) - (a.maxSize ?? Number.POSITIVE_INFINITY)
}

function refusalReason(action: Action): string {
  const what = action.kind === 'store' ? 'a store of this path, size and type' : 'a delete of this path'
  return `no capability of the credential covers ${what}`
}
