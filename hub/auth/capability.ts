/**
 * Capabilities: the one model of what a credential allows. Gaia's scopes and UCAN's capabilities both end here
 * (PROTOCOL 1.4 and 2.1), and {@link ../authorize.ts} is the one place that reads them.
 */

/** What a capability names. `gaia/*` and `*` stand for several {@link BasicAbility}s, see {@link abilityCovers}. */
export type Ability = BasicAbility | 'gaia/*' | '*'
export type BasicAbility = 'gaia/store' | 'gaia/archive' | 'gaia/delete' | 'gaia/list' | 'gaia/grant'

/**
 * Which paths of an address a capability reaches:
 * - `file`: exactly that path;
 * - `below`: everything below a folder, segment-wise; `path` is empty (the whole address) or ends in `/`;
 * - `prefix`: every path that begins with the text, cut anywhere, as Gaia's prefix scopes do. Only scopes have it.
 */
export type Reach =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'below'; readonly path: string }
  | { readonly kind: 'prefix'; readonly path: string }

/** Caveats (`nb`), each narrowing. `maxSize` (bytes of one file) and `contentType` bind stores only. */
export interface Caveats {
  readonly maxSize?: number
  /** Lower-case media types without parameters; `image/*` allowed, `*` + `/*` not. */
  readonly contentType?: readonly string[]
  readonly createOnly?: true
}

export interface Capability {
  readonly address: string
  readonly ability: Ability
  readonly reach: Reach
  readonly caveats: Caveats
  /** Of a `gaia/archive` only its store: all that a `gaia/store` can pass on of it (PROTOCOL 2.1). */
  readonly storeOnly?: true
}

/** Whether a path lies within a reach; paths are decoded and compared byte for byte. */
export function reaches(reach: Reach, path: string): boolean {
  switch (reach.kind) {
    case 'file':
      return path === reach.path
    case 'below':
    case 'prefix':
      return path.startsWith(reach.path)
  }
}

/** Whether every path of `inner` lies within `outer`. */
export function reachCovers(outer: Reach, inner: Reach): boolean {
  if (outer.kind === 'file') return inner.kind === 'file' && inner.path === outer.path
  // A folder's path ends in a slash or is empty, so a plain prefix is segment-wise too.
  return inner.path.startsWith(outer.path)
}

/** Whether holding `held` is holding `wanted` (PROTOCOL 2.1's table; `gaia/grant` is implied by `*` alone). */
export function abilityCovers(held: Ability, wanted: Ability): boolean {
  if (held === wanted || held === '*') return true
  return held === 'gaia/*' && wanted !== '*' && wanted !== 'gaia/grant'
}
