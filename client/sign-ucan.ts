import { signJwt } from './jwt.ts'
import type { Signer } from './signers/signer.ts'

/** Narrowings of a capability (PROTOCOL 2.1). */
export interface Caveats {
  /** The most bytes that one file may have. */
  maxSize?: number
  /** Media types without parameters; `image/*` allowed. */
  contentType?: readonly string[]
  /** Nothing that exists may be replaced or deleted. */
  createOnly?: true
}

/** What a delegation hands on, or an invocation uses (PROTOCOL 2.1). */
export interface UcanCapability {
  /** `gaia://<address>/<path>`; everything below it where the path is empty or ends in `/`, else that one file. */
  with: string
  /** `gaia/store`, `gaia/delete`, `gaia/list`, … */
  can: string
  nb?: Caveats
}

/** What a UCAN is to say. */
export interface UcanContent {
  /** A `did:key`, a `did:pkh` where only the writer's address is known, or the DID of a hub: an invocation. */
  audience: string
  capabilities: readonly UcanCapability[]
  /** Seconds since 1970: the first one in which the token is not valid. `null` for never: a delegation of 0.10 only. */
  expiration: number | null
  /** Seconds since 1970. Without it the token is valid as soon as its proofs are. */
  notBefore?: number
  /** Seconds since 1970. An owner's token without it ends when the owner revokes all for the first time. */
  issuedAt?: number
  /**
   * What the token rests on: JWTs inline (0.8.1, 0.9.1), or CIDs of tokens that travel beside it or are deposited
   * (0.9.1, 0.10.0).
   */
  proofs?: readonly string[]
  /** Not older than the version of any proof: 0.8.x, 0.9.x or 0.10.x. 0.9.1 by default. */
  version?: string
  /** So that two tokens that say the same at the same time are two, and one may be revoked without the other. */
  nonce?: string
}

/** Signs a UCAN, a delegation or an invocation alike (PROTOCOL 2.2). Nothing is checked here. */
export async function signUcan(signer: Signer, content: UcanContent): Promise<string> {
  const { payload, headerExtras } = composeUcan(await signer.did(), content)
  return signJwt(signer, payload, headerExtras)
}

/** What is signed: the payload, and the members of the header besides `typ` and `alg`. */
export function composeUcan(
  issuer: string,
  content: UcanContent,
): { payload: Record<string, unknown>; headerExtras: Record<string, unknown> } {
  const { version = '0.9.1', capabilities, proofs = [], notBefore, issuedAt, nonce } = content
  const isLatest = version.startsWith('0.10.')
  const payload = {
    ...(isLatest ? { ucv: version } : {}),
    iss: issuer,
    aud: content.audience,
    exp: content.expiration,
    ...(notBefore === undefined ? {} : { nbf: notBefore }),
    ...(issuedAt === undefined ? {} : { iat: issuedAt }),
    ...(nonce === undefined ? {} : { nnc: nonce }),
    ...(isLatest ? { cap: capabilityMap(capabilities) } : { att: capabilities.map((one) => ({ ...one })) }),
    prf: [...proofs],
  }
  return { payload, headerExtras: isLatest ? {} : { ucv: version } }
}

/** The resource of a path at an address; the path is decoded, never percent-encoded. */
export function gaiaResource(address: string, path = ''): string {
  return `gaia://${address}/${path}`
}

/** `{<with>: {<can>: [<caveats>, …]}}`, the form of 0.10. */
function capabilityMap(
  capabilities: readonly UcanCapability[],
): Record<string, Record<string, readonly Caveats[]>> {
  const map = new Map<string, Map<string, Caveats[]>>()
  for (const { with: resource, can, nb = {} } of capabilities) {
    const abilities = map.get(resource) ?? new Map<string, Caveats[]>()
    map.set(resource, abilities.set(can, [...(abilities.get(can) ?? []), nb]))
  }
  return Object.fromEntries(
    [...map].map(([resource, abilities]) => [resource, Object.fromEntries(abilities)]),
  )
}
