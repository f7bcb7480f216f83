import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { TokenSigner } from 'jsontokens'
import type { Person } from './people.ts'

/** The `serverName` of hubs in tests. */
export const serverName = 'hub.example'

/** The text that clients sign; spelled out here, so that the hub's own spelling is tested. */
export function challenge(generation = '0', server = serverName): string {
  return `["gaiahub","${generation}","${server}","blockstack_storage_please_sign"]`
}

export type Claims = Record<string, unknown>

/** A v1 credential as `@stacks/storage` makes it, without its `v1:`. A claim given as `undefined` is left out. */
export function v1Jwt(signer: Person, claims: Claims = {}): string {
  return signJwt(signer, {
    gaiaChallenge: challenge(),
    hubUrl: `https://${serverName}`,
    iss: signer.publicKeyHex,
    salt: '00112233445566778899aabbccddeeff',
    ...claims,
  })
}

/** The whole credential: `v1:<jwt>`. */
export function v1Token(signer: Person, claims: Claims = {}): string {
  return `v1:${v1Jwt(signer, claims)}`
}

export interface Scope {
  scope: string
  domain: string
}

/** A v1 credential that may do only what its scopes name. */
export function scopedToken(signer: Person, scopes: readonly Scope[], claims: Claims = {}): string {
  return v1Token(signer, { scopes, ...claims })
}

/** Ties `child`'s key to `signer`'s address for the whitelist. */
export function associationJwt(signer: Person, child: Person, claims: Claims = {}): string {
  return signJwt(signer, {
    iss: signer.publicKeyHex,
    childToAssociate: child.publicKeyHex,
    exp: 4_000_000_000,
    iat: 1_700_000_000,
    salt: '00112233445566778899aabbccddeeff',
    ...claims,
  })
}

/** A legacy credential: base64 of JSON, the signature over SHA-256 of a challenge text. */
export function legacyToken(signer: Person, text = challenge()): string {
  const digest = createHash('sha256').update(text).digest()
  const key = Buffer.from(signer.privateKeyHex, 'hex')
  const signature = secp256k1.sign(digest, key, { prehash: false, format: 'der' })
  return legacyBody({ publickey: signer.publicKeyHex, signature: Buffer.from(signature).toString('hex') })
}

/** Base64 of whatever a test wants to pass as a legacy credential. */
export function legacyBody(body: unknown): string {
  return Buffer.from(JSON.stringify(body)).toString('base64')
}

function signJwt(signer: Person, claims: Claims): string {
  const sent = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return new TokenSigner('ES256K', signer.privateKeyHex).sign(sent as Parameters<TokenSigner['sign']>[0])
}

/** What goes into a JWT that no honest client would make. */
export interface Forgery {
  /** JSON, or text that takes its place. */
  header?: Claims | string
  /** JSON, or text that takes its place. */
  payload: unknown
  /** Whose key signs; absent for an empty third segment. */
  signer?: Person
  /** Which of the two valid values of s; low by default. */
  s?: 'low' | 'high'
  /** Changes the 64 bytes of the signature. */
  tamper?: (signature: Uint8Array) => Uint8Array
}

/** A JWT made by hand. The payload as text may hold what JSON.stringify would not write, `1e400` for instance. */
export function forge({ header, payload, signer, s = 'low', tamper = (bytes) => bytes }: Forgery): string {
  const head = segment(header ?? { typ: 'JWT', alg: 'ES256K' })
  const input = `${head}.${segment(payload)}`
  if (signer === undefined) return `${input}.`
  return `${input}.${Buffer.from(tamper(sign(input, signer, s))).toString('base64url')}`
}

/** A JWT of two segments as they stand, signed as they stand. */
export function forgeSegments(head: string, payload: string, signer: Person): string {
  const input = `${head}.${payload}`
  return `${input}.${Buffer.from(sign(input, signer, 'low')).toString('base64url')}`
}

/** Claims that this hub takes, for forgeries that break something else. */
export function goodClaims(signer: Person): Claims {
  return { gaiaChallenge: challenge(), iss: signer.publicKeyHex }
}

function segment(content: unknown): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url')
}

/** 64 bytes, r and s. */
function sign(input: string, signer: Person, s: 'low' | 'high'): Uint8Array {
  const key = Buffer.from(signer.privateKeyHex, 'hex')
  const low = secp256k1.sign(Buffer.from(input), key, { lowS: true })
  if (s === 'low') return low
  const { r, s: lowS } = secp256k1.Signature.fromBytes(low)
  return new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - lowS).toBytes()
}
