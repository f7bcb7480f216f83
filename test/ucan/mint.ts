import { jwtAlgorithm } from '../../hub/auth/keys.ts'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import type { Persona } from './personas.ts'

export interface CapabilityClaim {
  with: string
  can: string
  nb?: Record<string, unknown>
}

export type Version = '0.8.0' | '0.8.1' | '0.9.1' | '0.10.0'

export interface MintOptions {
  issuer: Persona
  audience: Persona | string
  /** 0.8.1 */
  version?: Version
  capabilities?: readonly CapabilityClaim[]
  /** Tokens; held inline or named by CID as the version has it. */
  proofs?: readonly string[]
  /** How 0.9 holds its proofs; inline. */
  proofsAs?: 'inline' | 'cid'
  /** Seconds since 1970; an hour from now. */
  expiration?: number | null
  notBefore?: number
  issuedAt?: number
  facts?: unknown
  /** Members to add to the header or to change; `undefined` removes one. */
  header?: Record<string, unknown>
  /** The same for the payload. */
  payload?: Record<string, unknown>
  /** Who signs in the issuer's place. */
  signer?: Persona
}

/** A moment in which every test takes place unless it says otherwise; seconds since 1970. */
export const testNow = 1_800_000_000

/** The hub that invocations are made out to. */
export const hubDid = 'did:web:hub.example'

/** Makes a token, good unless the options say otherwise. */
export function mint(options: MintOptions): string {
  const { header, payload } = compose(options)
  return signJws(JSON.stringify(header), JSON.stringify(payload), options.signer ?? options.issuer)
}

/** Header and payload of a token, before they are encoded. */
export function compose(options: MintOptions): {
  header: Record<string, unknown>
  payload: Record<string, unknown>
} {
  const { issuer, audience, version = '0.8.1', capabilities = [], expiration = testNow + 3600 } = options
  const isTen = version === '0.10.0'
  const proofs = composeProofs(options.proofs ?? [], isTen ? 'cid' : (options.proofsAs ?? 'inline'))
  return {
    header: {
      alg: jwtAlgorithm[issuer.kind],
      typ: 'JWT',
      ...(isTen ? {} : { ucv: version }),
      ...options.header,
    },
    payload: {
      ...(isTen ? { ucv: version } : {}),
      iss: issuer.did,
      aud: typeof audience === 'string' ? audience : audience.did,
      exp: expiration,
      nbf: options.notBefore,
      iat: options.issuedAt,
      fct: options.facts,
      ...(isTen ? { cap: toCap(capabilities) } : { att: capabilities }),
      prf: proofs,
      ...options.payload,
    },
  }
}

/** A compact JWS of any texts or bytes, signed by somebody. */
export function signJws(header: string, payload: string | Uint8Array, signer: Persona): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${base64url(signer.sign(Buffer.from(input)))}`
}

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data).toString('base64url')
}

/** The text of a `ucans` request header. */
export function ucansHeader(...tokens: string[]): string {
  return tokens.map((token) => `${cidOf(token)}: ${token}`).join(', ')
}

/** Tokens by CID, as `parseUcansHeader` gives them. */
export function byCid(...tokens: string[]): ReadonlyMap<string, string> {
  return new Map(tokens.map((token) => [cidOf(token), token]))
}

/** The resource of a path below an owner's address. */
export function at(owner: Persona, path = ''): string {
  return `gaia://${owner.address}/${path}`
}

export function can(
  owner: Persona,
  path: string,
  ability: string,
  nb?: Record<string, unknown>,
): CapabilityClaim {
  return { with: at(owner, path), can: ability, ...(nb === undefined ? {} : { nb }) }
}

export type ChainLink = Omit<MintOptions, 'audience' | 'proofs'>

/**
 * A chain of delegations and the invocation at its end: each link is issued to the issuer of the next, the last one
 * to the hub. The outermost token comes last.
 */
export function mintChain(links: readonly ChainLink[], audience: Persona | string = hubDid): string[] {
  const tokens: string[] = []
  for (const [index, link] of links.entries()) {
    const previous = tokens.at(-1)
    tokens.push(
      mint({
        ...link,
        audience: links[index + 1]?.issuer ?? audience,
        proofs: previous === undefined ? [] : [previous],
      }),
    )
  }
  return tokens
}

function composeProofs(proofs: readonly string[], as: 'inline' | 'cid'): string[] {
  return proofs.map((proof) => (as === 'cid' ? cidOf(proof) : proof))
}

function toCap(claims: readonly CapabilityClaim[]): Record<string, Record<string, unknown[]>> {
  const cap: Record<string, Record<string, unknown[]>> = {}
  for (const claim of claims) {
    const abilities = cap[claim.with] ?? {}
    cap[claim.with] = { ...abilities, [claim.can]: [...(abilities[claim.can] ?? []), claim.nb ?? {}] }
  }
  return cap
}
