import type { Capability } from '../capability.ts'
import { addressOfDidPkh, jwtAlgorithm, KeyFormatError, type PublicKey, publicKeyFromDid } from '../keys.ts'
import { type ParsedCapabilities, parseAtt, parseCap } from './capabilities.ts'
import { cidOf, isCid, revocationIdOf } from './cid.ts'
import { Claims, isTime } from './claims.ts'
import { UcanError } from './errors.ts'
import { maxTokens, maxUcanBytes } from './limits.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  member,
  parseJsonObject,
  StrictJsonError,
} from './strict-json.ts'
import { parseVersion, type UcanVersion } from './version.ts'

/** A proof that a token names. */
export interface ProofLink {
  readonly cid: string
  /** The proof itself, where the token holds it inline. */
  readonly jwt: string | null
}

/**
 * One token, decoded and found in good form. Nothing is verified yet. Free of how it was encoded, so that another
 * decoder could make it as well.
 */
export interface Ucan {
  readonly version: UcanVersion
  readonly cid: string
  /** See {@link revocationIdOf}. */
  readonly revocationId: string
  readonly issuer: PublicKey
  /** A `did:key`, a `did:pkh` of Bitcoin's main chain, or a `did:web`. */
  readonly audience: string
  /** Those that a Gaia hub understands. */
  readonly capabilities: readonly Capability[]
  /** How many capabilities the token has, also those that are ignored. */
  readonly capabilityCount: number
  /** First second of validity; `null` where the token does not say: then it is that of its proof. */
  readonly notBefore: number | null
  /** First second in which the token is not valid; `null` for never (0.10 only). */
  readonly expiration: number | null
  /** `iat`, else the oldest `iat` among the facts, else `nbf`; `null` without any. */
  readonly issuedAt: number | null
  readonly proofs: readonly ProofLink[]
}

/**
 * Decodes a JWT-encoded UCAN of version 0.8.x, 0.9.x or 0.10.x and checks all that can be seen without verifying
 * a signature (PROTOCOL 2.1 and 2.2). Inline proofs are not decoded.
 * @param link the token's place in its chain, for the message of a refusal
 * @param cid its CID, where the caller has made it already
 * @throws {UcanError} `malformed` or `too-large`
 */
export function decodeUcan(jwt: string, link = 0, cid = cidOf(jwt)): Ucan {
  const { header, payload } = readJws(jwt, link)
  const head = new Claims(header, link, 'header.')
  const claims = new Claims(payload, link)
  const version = readVersion(head, claims)
  checkHeader(head)
  const issuer = readIssuer(head, claims)
  const { understood, count } = readCapabilities(claims, version)
  const notBefore = claims.optionalTime('nbf')
  checkNonce(claims)
  return {
    version,
    cid,
    revocationId: revocationIdOf(jwt),
    issuer,
    audience: readAudience(claims),
    capabilities: understood,
    capabilityCount: count,
    notBefore,
    expiration: readExpiration(claims, version),
    issuedAt: claims.optionalTime('iat') ?? readFacts(claims, version) ?? notBefore,
    proofs: readProofs(claims, version),
  }
}

/** How many capabilities a token that nothing names claims to have; 0 for one that cannot be read. */
export function countCapabilities(jwt: string): number {
  try {
    const { payload } = readJws(jwt, 0)
    const claims = new Claims(payload, 0)
    return (claims.get('cap') === undefined ? parseAtt(claims) : parseCap(claims)).count
  } catch (error) {
    // Such a token proves nothing and is ignored (PROTOCOL 2.2), also when it is no token at all.
    if (error instanceof UcanError) return 0
    throw error
  }
}

/** Compact serialization (RFC 7515 7.1): three segments, each canonical base64url without padding. */
function readJws(jwt: string, link: number): { header: JsonObject; payload: JsonObject } {
  if (jwt.length > maxUcanBytes) {
    throw new UcanError('too-large', { link, expected: `at most ${maxUcanBytes} bytes` })
  }
  const segments = jwt.split('.')
  const [header, payload, signature] = segments.map((segment) => decodeBase64url(segment, link))
  if (segments.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new UcanError('malformed', { link, expected: 'three segments: header, payload, signature' })
  }
  if (signature.length !== 64) {
    throw new UcanError('malformed', { link, claim: 'signature', expected: '64 bytes' })
  }
  return { header: readObject(header, 'header', link), payload: readObject(payload, 'payload', link) }
}

function decodeBase64url(segment: string, link: number): Uint8Array {
  const bytes = Buffer.from(segment, 'base64url')
  // Padding, foreign characters and stray bits at the end all get lost on the way back.
  if (bytes.toString('base64url') !== segment) {
    throw new UcanError('malformed', { link, expected: 'segments in canonical base64url without padding' })
  }
  return bytes
}

function readObject(bytes: Uint8Array, segment: string, link: number): JsonObject {
  try {
    return parseJsonObject(bytes)
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error
    throw new UcanError('malformed', { link, claim: segment, expected: error.message })
  }
}

/** `ucv` stands in the header up to 0.9 and in the payload from 0.10 on; two of them could contradict each other. */
function readVersion(head: Claims, claims: Claims): UcanVersion {
  const inHeader = head.get('ucv') !== undefined
  if (inHeader) claims.refusePresent('ucv', 'one ucv, in the header or in the payload')
  const version = parseVersion((inHeader ? head : claims).text('ucv'))
  if (version === null || (version.minor === 10) === inHeader) {
    throw (inHeader ? head : claims).refuse('ucv', '0.8.x or 0.9.x in the header, or 0.10.x in the payload')
  }
  return version
}

function checkHeader(head: Claims): void {
  if (head.text('typ') !== 'JWT') throw head.refuse('typ', 'JWT')
  head.refusePresent('crit', 'no critical extensions')
}

/** The key fixes the algorithm; a token cannot choose another one, least of all none. */
function readIssuer(head: Claims, claims: Claims): PublicKey {
  const issuer = readKey(claims, 'iss')
  const algorithm = jwtAlgorithm[issuer.kind]
  if (head.text('alg') !== algorithm)
    throw head.refuse('alg', `${algorithm}, the algorithm of an ${issuer.kind} key`)
  return issuer
}

function readKey(claims: Claims, claim: string): PublicKey {
  try {
    return publicKeyFromDid(claims.text(claim))
  } catch (error) {
    if (error instanceof KeyFormatError) throw claims.refuse(claim, `a usable did:key; ${error.message}`)
    throw error
  }
}

const didWeb = /^did:web:(?:[a-zA-Z0-9._:-]|%[0-9a-fA-F]{2}){1,255}$/

function readAudience(claims: Claims): string {
  const audience = claims.text('aud')
  if (audience.startsWith('did:key:')) return readKey(claims, 'aud').did
  if (didWeb.test(audience) || addressOfDidPkh(audience) !== null) return audience
  throw claims.refuse('aud', 'a did:key, a did:web, or a did:pkh of a P2PKH address')
}

function readCapabilities(claims: Claims, version: UcanVersion): ParsedCapabilities {
  if (version.minor === 10) {
    claims.refusePresent('att', 'cap alone in 0.10')
    return parseCap(claims)
  }
  claims.refusePresent('cap', 'att alone before 0.10')
  return parseAtt(claims)
}

function readExpiration(claims: Claims, version: UcanVersion): number | null {
  return version.minor === 10 && claims.get('exp') === null ? null : claims.time('exp')
}

function checkNonce(claims: Claims): void {
  if (claims.get('nnc') !== undefined) claims.text('nnc')
}

/** Facts are an array up to 0.9 and an object from 0.10 on. Returns the oldest `iat` among them. */
function readFacts(claims: Claims, version: UcanVersion): number | null {
  if (claims.get('fct') === undefined) return null
  const facts = version.minor === 10 ? claims.map('fct') : claims.list('fct')
  const times = [facts, ...Object.values(facts)].map(issueTimeIn).filter((time) => time !== null)
  return times.length === 0 ? null : Math.min(...times)
}

function issueTimeIn(fact: Json): number | null {
  if (!isObject(fact)) return null
  const time = member(fact, 'iat')
  return isTime(time) ? time : null
}

function readProofs(claims: Claims, version: UcanVersion): readonly ProofLink[] {
  if (version.minor === 10 && claims.get('prf') === undefined) return []
  const proofs = claims.list('prf')
  if (proofs.length > maxTokens) throw claims.tooLarge('prf', `at most ${maxTokens} proofs`)
  return proofs.map((proof) => readProof(claims, version, proof))
}

function readProof(claims: Claims, version: UcanVersion, proof: Json): ProofLink {
  if (typeof proof !== 'string') throw claims.refuse('prf', 'an array of strings')
  const isInline = proof.includes('.')
  if (isInline && version.minor !== 10) return { cid: cidOf(proof), jwt: proof }
  if (!isInline && version.minor !== 8 && isCid(proof)) return { cid: proof, jwt: null }
  throw claims.refuse('prf', 'inline proofs (0.8, 0.9) or CIDs (0.9, 0.10)')
}
