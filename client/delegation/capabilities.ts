import { BadPathError } from '../errors.ts'
import { checkPath } from '../path.ts'
import { type Caveats, gaiaResource, type UcanCapability } from '../sign-ucan.ts'

/** What a delegation allows at an address (PROTOCOL 2.1). */
export interface Capability {
  readonly address: string
  /** Decoded. Empty, or with a slash at its end: everything below. Else that one file. */
  readonly path: string
  readonly ability: Ability
  readonly caveats: Caveats
}

export type Ability = (typeof abilities)[number]

/** All abilities; `gaia/*` and `*` stand for several. */
export const abilities = [
  'gaia/store',
  'gaia/archive',
  'gaia/delete',
  'gaia/list',
  'gaia/grant',
  'gaia/*',
  '*',
] as const

export function isAbility(text: string): text is Ability {
  return (abilities as readonly string[]).includes(text)
}

/** The form in which tokens and answers of hubs hold a capability. */
export function formatCapability({ address, path, ability, caveats }: Capability): UcanCapability {
  const shown = { with: gaiaResource(address, path), can: ability }
  return Object.keys(caveats).length === 0 ? shown : { ...shown, nb: caveats }
}

/**
 * What is wrong with a path that is to be delegated, `null` for nothing: it is one file, or a folder where it is empty
 * or ends in a slash, by the rules of PROTOCOL 1.7; and it is a decoded name, so that no `%` may be in it.
 */
export function faultOfPath(path: string): string | null {
  if (path.includes('%')) return 'a delegated path holds no percent sign; delegate the folder instead'
  if (path === '') return null
  try {
    checkPath(path.endsWith('/') ? path.slice(0, -1) : path)
    return null
  } catch (error) {
    if (error instanceof BadPathError) return error.message
    throw error
  }
}

/** Whether everything at `inner` lies within `outer`; either may be a folder or a file. */
export function pathCovers(outer: string, inner: string): boolean {
  return outer === '' || outer.endsWith('/') ? inner.startsWith(outer) : inner === outer
}

/** Whether holding one ability is holding another; `gaia/grant` is implied by `*` alone. */
export function abilityCovers(held: Ability, wanted: string): boolean {
  return held === wanted || held === '*' || (held === 'gaia/*' && wanted !== '*' && wanted !== 'gaia/grant')
}

/** How much of a capability another one proves: all of it, of a `gaia/archive` its stores only, or nothing. */
export type Extent = 'all' | 'stores' | 'nothing'

/** Whether a capability lies within another one, and what of it goes beyond. */
export interface Attenuation {
  readonly extent: Extent
  /** The member that goes beyond; `null` where none does. */
  readonly claim: 'with' | 'can' | 'nb' | null
}

/**
 * Compares a capability with the one that it is to come from: same address, no wider path, an ability that is implied,
 * and every caveat restated at least as strictly, whether or not it binds that ability.
 */
export function attenuationOf(child: Capability, parent: Capability): Attenuation {
  if (child.address !== parent.address || !pathCovers(parent.path, child.path)) return beyond('with')
  const whole = abilityCovers(parent.ability, child.ability)
  if (!whole && !(child.ability === 'gaia/archive' && parent.ability === 'gaia/store')) return beyond('can')
  if (!areCaveatsWithin(child.caveats, parent.caveats)) return beyond('nb')
  return { extent: whole ? 'all' : 'stores', claim: null }
}

function beyond(claim: 'with' | 'can' | 'nb'): Attenuation {
  return { extent: 'nothing', claim }
}

function areCaveatsWithin(child: Caveats, parent: Caveats): boolean {
  const { maxSize, contentType, createOnly } = parent
  if (maxSize !== undefined && !(child.maxSize !== undefined && child.maxSize <= maxSize)) return false
  if (createOnly && !child.createOnly) return false
  return (
    contentType === undefined || (child.contentType?.every((type) => typesCover(contentType, type)) ?? false)
  )
}

/** Whether a media type, perhaps `image/*`, is one of those that are held. */
export function typesCover(held: readonly string[], type: string): boolean {
  return held.some((one) => one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1))))
}

/** A media type as caveats compare it: without parameters, in lower case. */
export function bareMediaType(text: string): string {
  return (text.split(';')[0] ?? '').trim().toLowerCase()
}

/** Media types (RFC 9110 8.3.1), `image/*` too, but not every type. */
const mediaType = /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/

/**
 * Caveats in the form that hubs take, or what is wrong with them: a `maxSize` in whole bytes, a list of media types,
 * `createOnly: true`, nothing else, and nothing at all on `gaia/grant`.
 */
export function readCaveats(value: Readonly<Record<string, unknown>>, ability: string): Caveats | string {
  const { maxSize, contentType, createOnly, ...unknown } = value
  if (Object.keys(unknown).length > 0) return 'no caveats but maxSize, contentType, createOnly'
  if (ability === 'gaia/grant' && Object.keys(value).length > 0) return 'no caveats on gaia/grant'
  if (maxSize !== undefined && !isSize(maxSize)) return 'maxSize in whole bytes'
  const types = contentType === undefined ? undefined : readTypes(contentType)
  if (types === null) return 'contentType as a non-empty list of media types, image/* for instance'
  if (createOnly !== undefined && createOnly !== true) return 'createOnly as true'
  return {
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(types === undefined ? {} : { contentType: types }),
    ...(createOnly === undefined ? {} : { createOnly }),
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function readTypes(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const types = value.map((item) => (typeof item === 'string' ? bareMediaType(item) : ''))
  return types.every((type) => mediaType.test(type)) ? types : null
}
