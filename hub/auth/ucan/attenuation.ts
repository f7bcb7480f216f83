import { abilityCovers, type Capability, type Caveats, reachCovers } from '../capability.ts'

/** How much of a capability another one proves. */
export type Extent =
  /** All of it. */
  | 'all'
  /** Of a `gaia/archive` only its store, not its delete (PROTOCOL 2.1). */
  | 'store-only'

export type Attenuation =
  | { readonly extent: Extent }
  /** What of the child goes beyond its parent. */
  | { readonly extent: null; readonly claim: 'with' | 'can' | 'nb'; readonly expected: string }

/**
 * Whether a child capability lies within its parent: same address, no wider path, an ability that the parent's
 * implies, and every caveat of the parent at least as strict in the child. Pure.
 *
 * A `gaia/store` proves the store of a `gaia/archive`, but not its delete: that is the extent `store-only`. It never
 * turns into `gaia/store`, since whoever was given `gaia/archive` may not write without keeping history.
 *
 * Caveats must be restated even where they do not bind the child's ability (UCAN 0.10 section 3.2.6.3: an attenuated
 * caveat includes all fields of its proof's).
 */
export function checkAttenuation(child: Capability, parent: Capability): Attenuation {
  if (child.address !== parent.address) return beyond('with', 'the address of the proof')
  if (!reachCovers(parent.reach, child.reach)) return beyond('with', 'a path within the path of the proof')
  const extent = abilityExtent(child, parent)
  if (extent === null) return beyond('can', 'an ability that the proof implies')
  const caveat = widenedCaveat(child.caveats, parent.caveats)
  return caveat === null ? { extent } : beyond('nb', `${caveat} at least as strict as in the proof`)
}

function beyond(claim: 'with' | 'can' | 'nb', expected: string): Attenuation {
  return { extent: null, claim, expected }
}

function abilityExtent(child: Capability, parent: Capability): Extent | null {
  if (abilityCovers(parent.ability, child.ability)) return parent.storeOnly ? 'store-only' : 'all'
  return child.ability === 'gaia/archive' && parent.ability === 'gaia/store' ? 'store-only' : null
}

function widenedCaveat(child: Caveats, parent: Caveats): keyof Caveats | null {
  if (parent.maxSize !== undefined && (child.maxSize === undefined || child.maxSize > parent.maxSize)) {
    return 'maxSize'
  }
  if (parent.contentType !== undefined && !areTypesWithin(child.contentType, parent.contentType)) {
    return 'contentType'
  }
  return parent.createOnly && !child.createOnly ? 'createOnly' : null
}

function areTypesWithin(child: readonly string[] | undefined, parent: readonly string[]): boolean {
  return child?.every((type) => parent.some((held) => typeCovers(held, type))) ?? false
}

/** Whether a media type, perhaps `image/*`, holds another one. */
function typeCovers(held: string, type: string): boolean {
  return held === type || (held.endsWith('/*') && type.startsWith(held.slice(0, -1)))
}
