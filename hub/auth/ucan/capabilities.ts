import { KeyError, parseAddress, parsePath } from '../../../drivers/key.ts'
import type { Ability, Capability, Caveats, Reach } from '../capability.ts'
import type { Claims } from './claims.ts'
import { isObject, type Json, type JsonObject } from './strict-json.ts'

/** What one token claims. */
export interface ParsedCapabilities {
  /** Those that a Gaia hub understands, in the token's order. */
  readonly understood: readonly Capability[]
  /** All of them, also those of other schemes; each alternative of a `cap` is one. */
  readonly count: number
}

/** One capability as the token has it, whatever its version. */
interface RawCapability {
  /** The claim that it stands in, for messages. */
  readonly claim: string
  readonly resource: string
  readonly ability: string
  readonly caveats: JsonObject
  /** Members beside `with`, `can` and `nb`: a restriction, perhaps, that is not understood. */
  readonly hasOthers: boolean
}

/** `att` of 0.8 and 0.9: `[{with, can, nb?}]`. @throws {UcanError} `malformed` */
export function parseAtt(claims: Claims): ParsedCapabilities {
  return parseAll(
    claims,
    claims.list('att').map((item, index) => readAttItem(claims, item, `att[${index}]`)),
  )
}

/**
 * `cap` of 0.10: `{<with>: {<can>: [<caveats>, …]}}`. Any of the alternatives is enough, so each becomes one
 * capability; `{}` is one without caveats. An empty array would mean "in no case": it is refused, as in the
 * specification's own conformance vectors, and so is a resource without an ability.
 * @throws {UcanError} `malformed`
 */
export function parseCap(claims: Claims): ParsedCapabilities {
  const raw = Object.entries(claims.map('cap')).flatMap(([resource, abilities], index) =>
    readCapResource(claims, resource, abilities, `cap[${index}]`),
  )
  return parseAll(claims, raw)
}

/** A capability in the form of `att`, as answers of the hub tell it. */
export function formatCapability(capability: Capability): { with: string; can: Ability; nb?: Caveats } {
  const shown = {
    with: `gaia://${capability.address}/${capability.reach.path}`,
    can: capability.ability,
  }
  return Object.keys(capability.caveats).length === 0 ? shown : { ...shown, nb: capability.caveats }
}

function readAttItem(claims: Claims, item: Json, claim: string): RawCapability {
  if (!isObject(item)) throw claims.refuse(claim, 'an object {with, can, nb?}')
  const { with: resource, can: ability, nb: caveats = {}, ...others } = item
  if (typeof resource !== 'string') throw claims.refuse(`${claim}.with`, 'a string')
  if (typeof ability !== 'string') throw claims.refuse(`${claim}.can`, 'a string')
  if (!isObject(caveats)) throw claims.refuse(`${claim}.nb`, 'an object')
  return { claim, resource, ability, caveats, hasOthers: Object.keys(others).length > 0 }
}

function readCapResource(claims: Claims, resource: string, abilities: Json, claim: string): RawCapability[] {
  if (!isObject(abilities)) throw claims.refuse(claim, 'an object of abilities')
  const entries = Object.entries(abilities)
  if (entries.length === 0) throw claims.refuse(claim, 'at least one ability')
  return entries.flatMap(([ability, alternatives]) => {
    if (!Array.isArray(alternatives) || alternatives.length === 0) {
      throw claims.refuse(claim, 'a non-empty array of caveats for each ability')
    }
    return alternatives.map((caveats) => {
      if (!isObject(caveats)) throw claims.refuse(claim, 'objects as caveats')
      return { claim, resource, ability, caveats, hasOthers: false }
    })
  })
}

function parseAll(claims: Claims, raw: readonly RawCapability[]): ParsedCapabilities {
  const understood = raw.flatMap((capability) => parseOne(claims, capability) ?? [])
  return { understood, count: raw.length }
}

/** A URI's scheme (RFC 3986 3.1), whose case does not matter. */
const uri = /^([a-z][a-z0-9+.-]*):/i

/** Resources that speak of other tokens or of all that a key owns: authority that nobody can see in the token. */
const refusedSchemes: ReadonlySet<string> = new Set(['my', 'as', 'prf', 'ucan'])

/** `null` for what a Gaia hub ignores. */
function parseOne(claims: Claims, raw: RawCapability): Capability | null {
  const scheme = uri.exec(raw.resource)?.[1]?.toLowerCase()
  if (scheme === undefined) throw claims.refuse(`${raw.claim}.with`, 'a URI')
  if (refusedSchemes.has(scheme)) {
    throw claims.refuse(`${raw.claim}.with`, 'a resource by its own name, not my:, as:, prf: or ucan:')
  }
  const ability = parseAbility(claims, raw)
  if (scheme !== 'gaia') return null
  const { address, reach } = parseResource(claims, raw)
  if (ability !== '*' && !ability.startsWith('gaia/')) return null
  if (raw.hasOthers) throw claims.refuse(raw.claim, 'no members but with, can and nb')
  const caveats = parseCaveats(claims, raw, ability)
  return isKnownAbility(ability) ? { address, ability, reach, caveats } : null
}

/** In lower case: abilities are not case-sensitive (UCAN 0.10 section 2.3). */
function parseAbility(claims: Claims, raw: RawCapability): string {
  const expected = 'a namespaced ability, or *'
  if (!/^[\x21-\x7e]{1,128}$/.test(raw.ability)) throw claims.refuse(`${raw.claim}.can`, expected)
  const ability = raw.ability.toLowerCase()
  if (ability !== '*' && !/^[^/]+\/./.test(ability)) throw claims.refuse(`${raw.claim}.can`, expected)
  return ability
}

const knownAbilities: ReadonlySet<string> = new Set<Ability>([
  'gaia/store',
  'gaia/archive',
  'gaia/delete',
  'gaia/list',
  'gaia/grant',
  'gaia/*',
  '*',
])

function isKnownAbility(text: string): text is Ability {
  return knownAbilities.has(text)
}

/** `gaia://<address>/<path>`; everything after the address's slash is the decoded path, byte for byte. */
function parseResource(claims: Claims, raw: RawCapability): { address: string; reach: Reach } {
  const claim = `${raw.claim}.with`
  const match = /^gaia:\/\/([^/]*)\/([^%]*)$/s.exec(raw.resource)
  if (match === null) throw claims.refuse(claim, 'gaia://<address>/<path>, the path not percent-encoded')
  const [, address = '', path = ''] = match
  try {
    return { address: parseAddress(address), reach: parseReach(path) }
  } catch (error) {
    if (error instanceof KeyError)
      throw claims.refuse(claim, `a path and address that are allowed; ${error.message}`)
    throw error
  }
}

function parseReach(path: string): Reach {
  if (path === '') return { kind: 'below', path }
  if (!path.endsWith('/')) return { kind: 'file', path: parsePath(path) }
  return { kind: 'below', path: `${parsePath(path.slice(0, -1))}/` }
}

/**
 * A caveat that is not understood cannot be enforced, so it refuses the token. So does one on `gaia/grant`,
 * which takes none.
 */
function parseCaveats(claims: Claims, raw: RawCapability, ability: string): Caveats {
  const claim = `${raw.claim}.nb`
  const { maxSize, contentType, createOnly, ...unknown } = raw.caveats
  if (Object.keys(unknown).length > 0)
    throw claims.refuse(claim, 'no caveats but maxSize, contentType, createOnly')
  if (ability === 'gaia/grant' && Object.keys(raw.caveats).length > 0) {
    throw claims.refuse(claim, 'no caveats on gaia/grant')
  }
  if (createOnly !== undefined && createOnly !== true) throw claims.refuse(`${claim}.createOnly`, 'true')
  return {
    ...(maxSize === undefined ? {} : { maxSize: parseMaxSize(claims, maxSize, claim) }),
    ...(contentType === undefined ? {} : { contentType: parseContentTypes(claims, contentType, claim) }),
    ...(createOnly === undefined ? {} : { createOnly }),
  }
}

function parseMaxSize(claims: Claims, value: Json, claim: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw claims.refuse(`${claim}.maxSize`, 'a size in whole bytes')
}

/** Media types (RFC 9110 8.3.1), `image/*` too, but neither every type nor any type of a subtype. */
const mediaType = /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/

function parseContentTypes(claims: Claims, value: Json, claim: string): readonly string[] {
  const refusal = () =>
    claims.refuse(`${claim}.contentType`, 'a non-empty array of media types, image/* for instance')
  if (!Array.isArray(value) || value.length === 0) throw refusal()
  return value.map((item) => {
    const type = typeof item === 'string' ? bareMediaType(item) : ''
    if (!mediaType.test(type)) throw refusal()
    return type
  })
}

/** Types are compared without parameters and in lower case (PROTOCOL 2.1). */
function bareMediaType(text: string): string {
  const [type = ''] = text.split(';')
  return type.trim().toLowerCase()
}
