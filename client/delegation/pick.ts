import { namesKey } from '../did.ts'
import type { UcanCapability } from '../sign-ucan.ts'
import type { Need } from '../transport/transport.ts'
import {
  type Ability,
  abilityCovers,
  bareMediaType,
  type Capability,
  type Extent,
  formatCapability,
  isAbility,
  pathCovers,
  typesCover,
} from './capabilities.ts'
import type { Delegation } from './delegation.ts'
import { provenExtents } from './proving.ts'

/** What a delegation is wanted for. */
export interface PickRequest {
  /** Whose files. */
  readonly address: string
  /** All of them are to be served. */
  readonly needs: readonly Need[]
  /** `did:key` of who will use it; whoever, where it is left out. */
  readonly did?: string
  /** Seconds since 1970. */
  readonly now: number
}

/** Delegations, and what an invocation that rests on them may say. */
export interface Choice {
  readonly delegations: readonly Delegation[]
  readonly capabilities: readonly UcanCapability[]
}

/** One capability of a delegation that serves a need. */
interface Service {
  readonly delegation: Delegation
  /** What the invocation says: the path that is held, the ability that is needed. */
  readonly claim: Capability
  /** Whether a file is written plainly, as was asked for, and not with its history kept. */
  readonly isExact: boolean
  /** Whether all of the path is covered; a list may be of a part of it. */
  readonly isWhole: boolean
}

/** A list shows what is covered of what was asked for: of files, or of grants. */
const listing: ReadonlySet<string> = new Set(['gaia/list', 'gaia/grant'])

/** A list of several folders rests on at most so many delegations: they all travel with the request. */
const maxDelegationsOfList = 4

/**
 * Of the delegations that are held, those that serve: one for all needs where there is one, else one for each. What
 * narrows least is preferred, then what lasts longest, then the shortest chain. `null` where a need is not served.
 */
export function pickDelegations(held: readonly Delegation[], request: PickRequest): Choice | null {
  const usable = held.filter((delegation) => isUsable(delegation, request))
  const all = request.needs.map((need) => servicesOf(usable, request.address, need))
  const [first = []] = all
  const alone = first.find(({ delegation }) =>
    all.every((services) => services.some((one) => one.isWhole && one.delegation === delegation)),
  )
  const chosen = all.map((services) =>
    serving(alone === undefined ? services : services.filter((one) => one.delegation === alone.delegation)),
  )
  return chosen.length === 0 || chosen.some((services) => services.length === 0)
    ? null
    : choiceOf(chosen.flat())
}

function isUsable(delegation: Delegation, { did, now }: PickRequest): boolean {
  const { expiration, audience, chain } = delegation
  const hasBegun = chain.tokens.every(({ notBefore }) => notBefore === null || notBefore <= now)
  return (
    hasBegun && (expiration === null || expiration > now) && (did === undefined || namesKey(audience, did))
  )
}

/** The best first. */
function servicesOf(usable: readonly Delegation[], address: string, need: Need): Service[] {
  return usable
    .flatMap((delegation) => {
      const extents = provenExtents(delegation.chain)
      return (delegation.chain.tokens[0]?.capabilities ?? []).flatMap((held) => {
        if (held.address !== address) return []
        const service = serve(held, extents.get(held) ?? 'nothing', need)
        return service === null ? [] : [{ delegation, ...service }]
      })
    })
    .sort(compareServices)
}

/** One is enough, but for a list of which each covers a part. */
function serving(services: readonly Service[]): readonly Service[] {
  const [best] = services
  if (best === undefined || best.isWhole) return services.slice(0, 1)
  const delegations = [...new Set(services.map(({ delegation }) => delegation))].slice(
    0,
    maxDelegationsOfList,
  )
  return services.filter(({ delegation }) => delegations.includes(delegation))
}

function choiceOf(services: readonly Service[]): Choice {
  const claims = services.map(({ claim }) => formatCapability(claim))
  return {
    delegations: [...new Set(services.map(({ delegation }) => delegation))],
    capabilities: [...new Map(claims.map((claim) => [JSON.stringify(claim), claim])).values()],
  }
}

function serve(held: Capability, extent: Extent, need: Need): Omit<Service, 'delegation'> | null {
  const isWhole = pathCovers(held.path, need.path)
  if (!isWhole && !(listing.has(need.ability) && pathCovers(need.path, held.path))) return null
  const ability = claimedAbility(held.ability, extent, need.ability)
  if (ability === null || !areCaveatsMet(held, ability, need)) return null
  return { claim: { ...held, ability }, isWhole, isExact: ability === need.ability }
}

/**
 * What is claimed for a need: itself where it is held. `gaia/archive` serves a store and a delete too, by keeping the
 * history; `gaia/store` serves the store of a `gaia/archive` (PROTOCOL 2.1).
 */
function claimedAbility(held: Ability, extent: Extent, needed: string): Ability | null {
  if (extent === 'nothing' || !isAbility(needed)) return null
  if (abilityCovers(held, needed)) return needed
  if (held === 'gaia/archive' && needed === 'gaia/store') return held
  if (held === 'gaia/archive' && needed === 'gaia/delete' && extent === 'all') return held
  return held === 'gaia/store' && needed === 'gaia/archive' ? needed : null
}

function areCaveatsMet({ caveats }: Capability, ability: Ability, need: Need): boolean {
  const { maxSize, contentType, createOnly } = caveats
  // `gaia/grant` takes no caveats, and each that is held would have to be said again.
  if (ability === 'gaia/grant') return Object.keys(caveats).length === 0
  if (createOnly && (ability === 'gaia/archive' || ability === 'gaia/delete')) return false
  if (maxSize !== undefined && (need.size ?? 0) > maxSize) return false
  return (
    contentType === undefined ||
    need.contentType === undefined ||
    typesCover(contentType, bareMediaType(need.contentType))
  )
}

function compareServices(a: Service, b: Service): number {
  return (
    Number(b.isWhole) - Number(a.isWhole) ||
    Number(b.isExact) - Number(a.isExact) ||
    Number(a.claim.caveats.createOnly ?? false) - Number(b.claim.caveats.createOnly ?? false) ||
    compareDown(a.claim.caveats.maxSize, b.claim.caveats.maxSize) ||
    compareDown(a.claim.caveats.contentType?.length, b.claim.caveats.contentType?.length) ||
    compareDown(a.delegation.expiration, b.delegation.expiration) ||
    a.delegation.toString().length - b.delegation.toString().length
  )
}

/** The larger first; without a number there is no bound. */
function compareDown(a: number | null | undefined, b: number | null | undefined): number {
  const [x, y] = [a ?? Number.MAX_VALUE, b ?? Number.MAX_VALUE]
  return x === y ? 0 : y - x
}
