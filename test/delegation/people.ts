import { publicKeyFromDid } from '../../hub/auth/keys.ts'
import type { Person } from '../hub/people.ts'
import { type Claims, v1Token } from '../hub/tokens.ts'
import { type CapabilityClaim, can, hubDid, type MintOptions, mint } from '../ucan/mint.ts'
import { type Persona, persona } from '../ucan/personas.ts'

/** Owns an address of Gaia's kind. */
export const alice = persona('alice', 'secp256k1')
/** Writes for Alice, with v1 tokens or invocations. */
export const bob = persona('bob', 'secp256k1')
/** Writes for Alice through Bob. */
export const carol = persona('carol')
export const dave = persona('dave', 'P-256')
/** Has no right to anything. */
export const mallory = persona('mallory', 'secp256k1')

let owners = 0

/** Somebody with an address of Gaia's kind about which nobody has said anything yet. */
export function newOwner(): Persona {
  owners += 1
  return persona(`owner ${owners}`, 'secp256k1')
}

/** A secp256k1 persona as the signer of v1 tokens. */
export function personOf({ name, kind, secretKey, did, address }: Persona): Person {
  if (kind !== 'secp256k1') throw new TypeError('only secp256k1 keys sign v1 tokens')
  return {
    name,
    privateKeyHex: Buffer.from(secretKey).toString('hex'),
    publicKeyHex: Buffer.from(publicKeyFromDid(did).bytes).toString('hex'),
    address,
  }
}

/** `v1:<jwt>` of a persona. */
export function v1(who: Persona, claims: Claims = {}): string {
  return v1Token(personOf(who), claims)
}

export type TokenChanges = Partial<Omit<MintOptions, 'issuer' | 'capabilities'>>

/** A delegation. */
export function delegate(
  issuer: Persona,
  audience: Persona | string,
  capabilities: readonly CapabilityClaim[],
  changes: TokenChanges = {},
): string {
  return mint({ issuer, audience, capabilities, ...changes })
}

/** `ucan:<jwt>`, made out to the hub. */
export function invoke(
  issuer: Persona,
  capabilities: readonly CapabilityClaim[] = [],
  changes: TokenChanges = {},
): string {
  return `ucan:${mint({ issuer, audience: hubDid, capabilities, ...changes })}`
}

/** A credential of an owner that may do everything, whatever its kind of key. */
export function asOwner(owner: Persona): string {
  return owner.kind === 'secp256k1' ? v1(owner) : invoke(owner, [can(owner, '', '*')])
}
