import { text } from 'node:stream/consumers'
import type { Driver } from '../drivers/driver.ts'
import { type Address, fileKey, type Path, parsePath } from '../drivers/key.ts'
import { WireError } from '../http/errors.ts'
import { controls } from './auth/keys.ts'
import { verifyV1Jwt } from './auth/v1-jwt.ts'

/** One statement in a profile: this account elsewhere is mine, and here is where I said so. */
export interface SocialProof {
  readonly service: string
  readonly identifier: string
  readonly proofUrl: URL
}

/**
 * Looks behind a proof's URL: the place to plug in network verification.
 * @returns whether what stands there names the address
 */
export type ProofVerifier = (proof: SocialProof, address: Address) => Promise<boolean>

export interface SocialProofOptions {
  driver: Pick<Driver, 'read'>
  /** Proofs that a profile must carry; 0 asks for none. */
  required: number
  verifier?: ProofVerifier
}

export interface SocialProofs {
  /**
   * Checks, before a store, that the owner has proven enough of who it is. The profile itself can always be stored.
   * @throws {WireError} `not_enough_proofs`
   */
  check(address: Address, path: Path): Promise<void>
}

const profilePath = parsePath('profile.json')
/** A profile is a page of JSON; this bounds the memory for one that is not. */
const maxProfileBytes = 256 * 1024
/** Accounts that are looked at in one profile. */
const maxAccounts = 100

export function socialProofs({ driver, required, verifier }: SocialProofOptions): SocialProofs {
  return {
    async check(address, path) {
      if (required === 0 || path === profilePath) return
      const proofs = wellFormedProofs(await readProfile(driver, address))
      const found = verifier === undefined ? proofs.length : await countVerified(proofs, address, verifier)
      if (found < required) throw notEnough(found, required, verifier !== undefined)
    },
  }
}

async function readProfile(driver: Pick<Driver, 'read'>, address: Address): Promise<Record<string, unknown>> {
  const found = await driver.read(fileKey(address, profilePath))
  if (found === null) throw unusable('there is none')
  if (found.info.size > maxProfileBytes) {
    found.body.destroy()
    throw unusable(`it is larger than ${maxProfileBytes} bytes`)
  }
  return verifyProfile(await text(found.body), address)
}

/** A profile is a JSON list whose first entry holds a JWT that the owner signed. */
function verifyProfile(content: string, address: Address): Record<string, unknown> {
  const token = readToken(content)
  let verified: ReturnType<typeof verifyV1Jwt>
  try {
    verified = verifyV1Jwt(token, 'profile', (claims) => asObject(claims.issuer).publicKey)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw unusable(error.message)
  }
  if (!controls(verified.issuer, address)) throw unusable('it is not signed by the owner of the address')
  return asObject(verified.claims.claim)
}

function readToken(content: string): string {
  let profile: unknown
  try {
    profile = JSON.parse(content)
  } catch {
    throw unusable('it is not JSON')
  }
  const token = asObject(Array.isArray(profile) ? profile[0] : profile).token
  if (typeof token !== 'string') throw unusable('it holds no signed "token"')
  return token
}

/** One proof for each account: naming the same one often does not make more of it. */
function wellFormedProofs(claim: Record<string, unknown>): SocialProof[] {
  const accounts = Array.isArray(claim.account) ? claim.account.slice(0, maxAccounts) : []
  const proofs = accounts.map(readProof).filter((proof) => proof !== null)
  return [
    ...new Map(proofs.map((proof) => [JSON.stringify([proof.service, proof.identifier]), proof])).values(),
  ]
}

function readProof(account: unknown): SocialProof | null {
  const { service, identifier, proofUrl } = asObject(account)
  if (typeof service !== 'string' || typeof identifier !== 'string' || typeof proofUrl !== 'string')
    return null
  if (service === '' || identifier === '' || !URL.canParse(proofUrl)) return null
  const url = new URL(proofUrl)
  return url.protocol === 'https:' || url.protocol === 'http:' ? { service, identifier, proofUrl: url } : null
}

async function countVerified(
  proofs: SocialProof[],
  address: Address,
  verifier: ProofVerifier,
): Promise<number> {
  const outcomes = await Promise.all(proofs.map((proof) => verifier(proof, address)))
  return outcomes.filter(Boolean).length
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

function unusable(reason: string): WireError {
  return new WireError(
    'not_enough_proofs',
    `this hub asks for social proofs, and the profile.json is of no use: ${reason}`,
  )
}

function notEnough(found: number, required: number, verified: boolean): WireError {
  const what = verified ? 'verified' : 'well-formed'
  return new WireError(
    'not_enough_proofs',
    `this hub asks for ${required} social proofs in the profile.json; it holds ${found} ${what} ones`,
  )
}
