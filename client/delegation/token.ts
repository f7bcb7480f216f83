import { base64urlnopad } from '@scure/base'
import { parseDidKey } from '../did.ts'
import { type Capability, faultOfPath, isAbility, readCaveats } from './capabilities.ts'
import { cidOf, isCid } from './cid.ts'
import { DelegationError } from './errors.ts'
import { maxCapabilities, maxChainBytes, maxTokens } from './limits.ts'
import { isHubDid, isKeyDid, isPkhDid } from './recipients.ts'

/** Version 0.`minor`.`patch` of the UCAN specification. */
export interface TokenVersion {
  readonly minor: 8 | 9 | 10
  readonly patch: number
}

/** One token in good form. Nothing is verified. */
export interface UcanToken {
  readonly jwt: string
  readonly cid: string
  readonly version: TokenVersion
  /** `did:key` */
  readonly issuer: string
  /** A `did:key`, a `did:pkh`, or the `did:web` of a hub. */
  readonly audience: string
  /** Those that speak of a hub's files. */
  readonly capabilities: readonly Capability[]
  /** How many there are, those of other schemes included. */
  readonly capabilityCount: number
  /** Seconds since 1970; `null`: as soon as its proofs. */
  readonly notBefore: number | null
  /** Seconds since 1970: the first one in which it is not valid; `null` for never. */
  readonly expiration: number | null
  /** Seconds since 1970: `iat`, else the oldest `iat` among its facts, else `nbf`; `null` where it does not say. */
  readonly issuedAt: number | null
  /** What it rests on, in its order; `jwt` where it holds the proof itself. */
  readonly proofs: readonly { readonly cid: string; readonly jwt: string | null }[]
}

type Members = Readonly<Record<string, unknown>>

/**
 * Reads a JWT-encoded UCAN of version 0.8.x to 0.10.x by its form alone. The hub looks closer; what passes here and
 * not there grants nobody anything.
 * @param link its place in a chain, for the message
 * @throws {DelegationError} `malformed`, `too-large`
 */
export function decodeToken(jwt: string, link = 0): UcanToken {
  if (jwt.length > maxChainBytes) throw new DelegationError('too-large', tooLarge, { link })
  const { header, payload } = decodeSegments(jwt, link)
  const read = new Reader(payload, link)
  const head = new Reader(header, link, 'header.')
  const version = readVersion(head, read)
  const issuer = read.text('iss')
  if (!isKeyDid(issuer)) throw read.refuse('iss', 'a did:key of an Ed25519, P-256 or secp256k1 key')
  if (head.text('typ') !== 'JWT') throw head.refuse('typ', 'JWT')
  if (head.members.crit !== undefined) throw head.refuse('crit', 'no critical extensions')
  const { jwtAlg } = parseDidKey(issuer)
  if (head.text('alg') !== jwtAlg) throw head.refuse('alg', `${jwtAlg}, the algorithm of the key`)
  const audience = read.text('aud')
  if (!isKeyDid(audience) && !isPkhDid(audience) && !isHubDid(audience)) {
    throw read.refuse('aud', 'a did:key, a did:web, or a did:pkh of a P2PKH address')
  }
  const raw = version.minor === 10 ? capItems(read) : attItems(read)
  const notBefore = read.optionalTime('nbf')
  const mayLast = version.minor === 10 && payload.exp === null
  return {
    jwt,
    cid: cidOf(jwt),
    version,
    issuer,
    audience,
    capabilities: raw.flatMap((item) => readCapability(read, item) ?? []),
    capabilityCount: raw.length,
    notBefore,
    expiration: mayLast ? null : read.time('exp'),
    issuedAt: read.optionalTime('iat') ?? issueTimeOfFacts(payload.fct) ?? notBefore,
    proofs: readProofs(read, version),
  }
}

const tooLarge = `a delegation has at most ${maxChainBytes.toLocaleString('en')} bytes`

/** The text that the signature is over, and the signature. */
export function signedParts(jwt: string): { input: string; signature: Uint8Array } {
  const end = jwt.lastIndexOf('.')
  return { input: jwt.slice(0, end), signature: base64urlnopad.decode(jwt.slice(end + 1)) }
}

export function formatVersion({ minor, patch }: TokenVersion): string {
  return `0.${minor}.${patch}`
}

export function isOlder(a: TokenVersion, b: TokenVersion): boolean {
  return a.minor === b.minor ? a.patch < b.patch : a.minor < b.minor
}

/** Typed access to the members of one segment. */
class Reader {
  readonly members: Members
  readonly #link: number
  readonly #prefix: string

  constructor(members: Members, link: number, prefix = '') {
    this.members = members
    this.#link = link
    this.#prefix = prefix
  }

  refuse(claim: string, expected: string): DelegationError {
    const place = { link: this.#link, claim: this.#prefix + claim }
    return malformed(`link ${place.link}, ${place.claim}: expected ${expected}`, place)
  }

  text(claim: string): string {
    const value = this.members[claim]
    if (typeof value !== 'string') throw this.refuse(claim, 'a text')
    return value
  }

  time(claim: string): number {
    const value = this.members[claim]
    if (!isTime(value)) throw this.refuse(claim, 'a time in whole seconds since 1970')
    return value
  }

  optionalTime(claim: string): number | null {
    return this.members[claim] === undefined ? null : this.time(claim)
  }

  list(claim: string): unknown[] {
    const value = this.members[claim]
    if (!Array.isArray(value)) throw this.refuse(claim, 'a list')
    return value
  }
}

function malformed(why: string, place: { link: number; claim?: string }): DelegationError {
  return new DelegationError('malformed', `the delegation is malformed: ${why}`, place)
}

function decodeSegments(jwt: string, link: number): { header: Members; payload: Members } {
  const segments = jwt.split('.', 4)
  try {
    const [header, payload, signature] = segments.map((segment) => base64urlnopad.decode(segment))
    if (segments.length === 3 && header !== undefined && payload !== undefined && signature?.length === 64) {
      return { header: readObject(header), payload: readObject(payload) }
    }
  } catch {
    // Neither canonical base64url nor JSON: the one message below says what a token is.
  }
  throw malformed('expected three segments of base64url: JSON, JSON, and 64 bytes', { link })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readObject(bytes: Uint8Array): Members {
  const value: unknown = JSON.parse(utf8.decode(bytes))
  if (!isObject(value)) throw new TypeError('not an object')
  return value
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** `ucv` stands in the header up to 0.9 and in the payload from 0.10 on. */
function readVersion(head: Reader, read: Reader): TokenVersion {
  const inHeader = head.members.ucv !== undefined
  const [, minor, patch] = /^0\.(8|9|10)\.(0|[1-9]\d{0,5})$/.exec((inHeader ? head : read).text('ucv')) ?? []
  const isTwice = inHeader && read.members.ucv !== undefined
  if (minor === undefined || isTwice || (minor === '10') === inHeader) {
    throw head.refuse('ucv', '0.8.x or 0.9.x in the header, or 0.10.x in the payload')
  }
  return { minor: Number(minor) as TokenVersion['minor'], patch: Number(patch) }
}

interface RawCapability {
  claim: string
  resource: string
  ability: string
  caveats: Members
  hasOthers: boolean
}

function attItems(read: Reader): RawCapability[] {
  const items = read.list('att')
  if (items.length > maxCapabilities) throw tooMany(read, 'att')
  return items.map((item, index) => {
    const claim = `att[${index}]`
    if (!isObject(item)) throw read.refuse(claim, 'an object {with, can, nb?}')
    const { with: resource, can: ability, nb: caveats = {}, ...others } = item
    if (typeof resource !== 'string' || typeof ability !== 'string' || !isObject(caveats)) {
      throw read.refuse(claim, 'an object {with, can, nb?}')
    }
    return { claim, resource, ability, caveats, hasOthers: Object.keys(others).length > 0 }
  })
}

/** Any of the alternatives of a `cap` is enough, so that each is one capability. */
function capItems(read: Reader): RawCapability[] {
  const { cap } = read.members
  if (!isObject(cap)) throw read.refuse('cap', 'an object')
  const items = Object.entries(cap).flatMap(([resource, held]) => {
    if (!isObject(held) || Object.keys(held).length === 0)
      throw read.refuse('cap', 'abilities of each resource')
    return Object.entries(held).flatMap(([ability, alternatives]) => {
      if (!Array.isArray(alternatives) || alternatives.length === 0 || !alternatives.every(isObject)) {
        throw read.refuse('cap', 'a non-empty list of caveats for each ability')
      }
      return alternatives.map((caveats) => ({ claim: 'cap', resource, ability, caveats, hasOthers: false }))
    })
  })
  if (items.length > maxCapabilities) throw tooMany(read, 'cap')
  return items
}

function tooMany(read: Reader, claim: string): DelegationError {
  return read.refuse(claim, `at most ${maxCapabilities} capabilities`)
}

/** Resources that speak of other tokens or of all that a key owns: no hub takes a token with one. */
const refusedSchemes = /^(?:my|as|prf|ucan):/i

/** `null` for one that is not about a hub's files: it is passed on, and no hub looks at it. */
function readCapability(read: Reader, raw: RawCapability): Capability | null {
  const { claim, resource, hasOthers } = raw
  if (refusedSchemes.test(resource)) throw read.refuse(claim, 'a resource by its own name')
  if (!/^gaia:/i.test(resource)) return null
  const [, address = '', path = ''] = /^gaia:\/\/([a-zA-Z0-9]{1,128})\/(.*)$/s.exec(resource) ?? []
  const fault = address === '' ? 'gaia://<address>/<path>' : faultOfPath(path)
  if (fault !== null) throw read.refuse(`${claim}.with`, fault)
  const ability = raw.ability.toLowerCase()
  if (ability !== '*' && !ability.startsWith('gaia/')) return null
  const caveats = readCaveats(raw.caveats, ability)
  if (typeof caveats === 'string' || hasOthers) {
    throw read.refuse(
      `${claim}.nb`,
      typeof caveats === 'string' ? caveats : 'no members but with, can and nb',
    )
  }
  return isAbility(ability) ? { address, path, ability, caveats } : null
}

function issueTimeOfFacts(facts: unknown): number | null {
  if (typeof facts !== 'object' || facts === null) return null
  const times = [facts, ...Object.values(facts)]
    .map((fact) => (isObject(fact) ? fact.iat : null))
    .filter(isTime)
  return times.length === 0 ? null : Math.min(...times)
}

function readProofs(read: Reader, version: TokenVersion): UcanToken['proofs'] {
  if (version.minor === 10 && read.members.prf === undefined) return []
  const proofs = read.list('prf')
  if (proofs.length > maxTokens) throw read.refuse('prf', `at most ${maxTokens} proofs`)
  return proofs.map((proof) => {
    if (typeof proof === 'string') {
      if (proof.includes('.') && version.minor !== 10) return { cid: cidOf(proof), jwt: proof }
      if (isCid(proof) && version.minor !== 8) return { cid: proof, jwt: null }
    }
    throw read.refuse('prf', 'inline proofs (0.8, 0.9) or CIDs (0.9, 0.10)')
  })
}
