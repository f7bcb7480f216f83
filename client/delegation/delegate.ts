import { base64urlnopad } from '@scure/base'
import { addressOfDid, controls, namesKey } from '../did.ts'
import { type Caveats, signUcan, type UcanContent } from '../sign-ucan.ts'
import type { Signer } from '../signers/signer.ts'
import {
  type Ability,
  abilities,
  attenuationOf,
  type Capability,
  faultOfPath,
  formatCapability,
  isAbility,
  readCaveats,
} from './capabilities.ts'
import type { ChainToken } from './chain.ts'
import type { Delegation } from './delegation.ts'
import { DelegationError } from './errors.ts'
import { type Moment, secondsOf } from './expiry.ts'
import { audienceOf } from './recipients.ts'
import { type ProofForm, restOn } from './rest-on.ts'

/** What is handed on, to whom, and until when. */
export interface DelegateOptions {
  /** A `did:key`; or an address, `1…` or `z…`, where that is all that is known of the recipient. */
  to: string
  /**
   * Decoded names: `photos/` is everything below it, `''` the whole bucket, anything else that one file. Left out with
   * `via`: what that one holds.
   */
  path?: string | readonly string[]
  /**
   * `store`, `archive`, `delete`, `list`, `grant`, `gaia/*` or `*` (everything, `grant` among it). The short names stand
   * for `gaia/store` and so on. Left out with `via`: what that one holds.
   */
  can?: string | readonly string[]
  /** When it ends: see {@link Moment}. Left out with `via`: when that one does. */
  expires?: Moment
  /** When it begins; at once unless told. */
  starts?: Moment
  /** Narrowings. They do not apply to `grant`, which takes none; what `via` narrows stays narrowed. */
  caveats?: Caveats
  /** What the signer got, where the files are somebody else's: one delegation, or several of which each gives a part. */
  via?: Delegation | readonly Delegation[]
  /** Whose files; the signer's own address unless told, or that of `via`. */
  address?: string
  /**
   * How the proofs travel. `inline`: in the token, one text that every program for UCANs reads; a third larger with each
   * link. `cid`: beside it, for long chains. `auto`, the default: inline up to 4 KiB.
   */
  form?: ProofForm
}

/** Signs what the options say. @param nowMs milliseconds since 1970 */
export async function issueDelegation(
  signer: Signer,
  options: DelegateOptions,
  nowMs: number,
): Promise<{ token: string; proofs: readonly string[] }> {
  const issuer = await signer.did()
  const now = Math.floor(nowMs / 1000)
  const via = options.via === undefined ? [] : 'token' in options.via ? [options.via] : options.via
  const held = via.map(outermostOf)
  checkRecipient(held, issuer)
  const capabilities = wantedCapabilities(options, held, issuer)
  const content: UcanContent = {
    audience: audienceOf(options.to),
    capabilities: capabilities.map(formatCapability),
    issuedAt: now,
    nonce: base64urlnopad.encode(crypto.getRandomValues(new Uint8Array(9))),
    ...times(options, held, now),
  }
  return restOn(via, options.form ?? 'auto', (proofs) => signUcan(signer, { ...content, ...proofs }))
}

function outermostOf({ chain }: Delegation): ChainToken {
  const [token] = chain.tokens
  if (token === undefined) throw new TypeError('a chain has at least one token')
  return token
}

function checkRecipient(held: readonly ChainToken[], issuer: string): void {
  if (held.every(({ audience }) => namesKey(audience, issuer))) return
  throw new DelegationError('principal-mismatch', `"via" was not given to this key, ${issuer}`)
}

function wantedCapabilities(
  options: DelegateOptions,
  held: readonly ChainToken[],
  issuer: string,
): Capability[] {
  const heldCapabilities = held.flatMap((token) => token.capabilities)
  if (held.length === 0) return ownCapabilities(options, issuer)
  if (options.path === undefined || options.can === undefined) return inherited(options, heldCapabilities)
  const address = options.address ?? heldCapabilities[0]?.address ?? addressOfDid(issuer)
  return named({ ...options, path: options.path, can: options.can }, address).map((wanted) =>
    within(wanted, heldCapabilities),
  )
}

function ownCapabilities(options: DelegateOptions, issuer: string): Capability[] {
  const { address = addressOfDid(issuer), path, can } = options
  if (path === undefined) throw new DelegationError('invalid-path', 'say which "path" is delegated')
  if (can === undefined)
    throw new DelegationError('invalid-ability', `say what it "can": ${abilities.join(', ')}`)
  if (!controls(issuer, address)) {
    const why = `${issuer} does not control ${address}: hand on, by "via", what its owner gave to this key`
    throw new DelegationError('root-not-owner', why)
  }
  return named({ ...options, path, can }, address)
}

/** One capability for each path and ability. */
function named(
  { path, can, caveats = {} }: DelegateOptions & Required<Pick<DelegateOptions, 'path' | 'can'>>,
  address: string,
): Capability[] {
  return listOf(path).flatMap((one) =>
    listOf(can).map((ability) => capability(address, one, ability, caveats)),
  )
}

export function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

function capability(address: string, path: string, name: string, caveats: Caveats): Capability {
  const fault = faultOfPath(path)
  if (fault !== null) throw new DelegationError('invalid-path', fault)
  const ability = abilityNamed(name)
  return { address, path, ability, caveats: ability === 'gaia/grant' ? {} : checkCaveats(caveats, ability) }
}

/** `store` is short for `gaia/store`. @throws {DelegationError} `invalid-ability` */
export function abilityNamed(name: string): Ability {
  const ability = name.includes('/') || name === '*' ? name : `gaia/${name}`
  if (isAbility(ability)) return ability
  throw new DelegationError('invalid-ability', `there is no such ability; there are ${abilities.join(', ')}`)
}

function checkCaveats(caveats: Caveats, ability: Ability): Caveats {
  const read = readCaveats({ ...caveats }, ability)
  if (typeof read !== 'string') return read
  throw new DelegationError('invalid-caveats', `caveats: expected ${read}`)
}

/**
 * What is held, narrowed to the paths or to the abilities that are named. Each that is named must be there: of all that
 * is held, only what lies within it is passed on.
 */
function inherited(options: DelegateOptions, held: readonly Capability[]): Capability[] {
  const { path, can, caveats = {} } = options
  const found = held.flatMap((one) =>
    listOf(path ?? one.path).flatMap((place) =>
      listOf(can ?? one.ability).flatMap((name) => {
        const wanted = capability(one.address, place, name, caveats)
        const stricter = stricterOf(wanted, one)
        // What is wider in its caveats alone is a mistake, not another's part.
        if (stricter === null && attenuationOf(wanted, one).claim === 'nb') throw notAllHeld()
        return stricter === null ? [] : [stricter]
      }),
    ),
  )
  const lacksPath = path !== undefined && !listOf(path).every((one) => found.some((got) => got.path === one))
  const names = can === undefined ? [] : listOf(can).map(abilityNamed)
  if (found.length === 0 || lacksPath || !names.every((name) => found.some((got) => got.ability === name))) {
    throw notAllHeld()
  }
  return [...new Map(found.map((one) => [JSON.stringify(formatCapability(one)), one])).values()]
}

function notAllHeld(): DelegationError {
  return new DelegationError('not-covered', '"via" does not hold all of these paths, abilities and caveats')
}

/** The wanted capability, from what narrows it least of what is held. */
function within(wanted: Capability, held: readonly Capability[]): Capability {
  const narrowings = ({ caveats }: Capability) => Object.keys(caveats).length
  const [least] = held
    .flatMap((one) => stricterOf(wanted, one) ?? [])
    .sort((a, b) => narrowings(a) - narrowings(b))
  if (least !== undefined) return least
  const { can, with: resource } = formatCapability(wanted)
  throw new DelegationError('not-covered', `"via" does not hold ${can} on ${resource} with these caveats`)
}

/**
 * The wanted capability with what the held one narrows, which must be said again; `null` where that one does not hold it.
 */
function stricterOf(wanted: Capability, held: Capability): Capability | null {
  const stricter = { ...wanted, caveats: { ...held.caveats, ...wanted.caveats } }
  // It takes no caveats, so that nothing that is narrowed can give it.
  if (stricter.ability === 'gaia/grant' && Object.keys(stricter.caveats).length > 0) return null
  return attenuationOf(stricter, held).extent === 'nothing' ? null : stricter
}

function times(
  { expires, starts }: DelegateOptions,
  held: readonly ChainToken[],
  now: number,
): Pick<UcanContent, 'expiration' | 'notBefore'> {
  const ends = held.flatMap(({ expiration }) => expiration ?? [])
  const last = ends.length === 0 ? null : Math.min(...ends)
  const first = Math.max(0, ...held.flatMap(({ notBefore }) => notBefore ?? []))
  const expiration = expires === undefined ? last : secondsOf(expires, now)
  const notBefore = starts === undefined ? null : secondsOf(starts, now)
  if (expiration === null) throw new DelegationError('invalid-expiry', 'say when the delegation "expires"')
  if (expiration <= now)
    throw new DelegationError('invalid-expiry', 'the delegation would have expired already')
  if (notBefore !== null && notBefore >= expiration) {
    throw new DelegationError('invalid-expiry', 'the delegation would end before it begins')
  }
  if ((last !== null && expiration > last) || (notBefore !== null && notBefore < first)) {
    throw new DelegationError(
      'time-bounds',
      'the delegation would be valid when what it rests on ("via") is not',
    )
  }
  return { expiration, ...(notBefore === null ? {} : { notBefore }) }
}
