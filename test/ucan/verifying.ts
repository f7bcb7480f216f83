import { expect } from 'chai'
import { parseAddress } from '../../drivers/key.ts'
import { WireError } from '../../http/errors.ts'
import type { Authority } from '../../hub/auth/authority.ts'
import { type Action, authorize } from '../../hub/auth/authorize.ts'
import {
  type Capability,
  UcanError,
  type UcanErrorCode,
  type VerifiedChain,
  type VerifyOptions,
  verifyChain,
} from '../../hub/auth/ucan/index.ts'
import { hubDid, testNow } from './mint.ts'
import { alice } from './personas.ts'

/** What a test changes of a verification that lets everything good through. */
export type Changes = Partial<VerifyOptions>

/** Verifies an invocation at Alice's address with a day of lifetime, nothing revoked. */
export function verifying(jwt: string, changes: Changes = {}): Promise<VerifiedChain> {
  return verifyChain(jwt, {
    purpose: 'invocation',
    address: alice.address,
    now: testNow,
    isAudience: (did) => changes.purpose === 'delegation' || did === hubDid,
    maxLifetimeSeconds: 86_400,
    oldestValidSeconds: () => Promise.resolve(null),
    isRevoked: () => Promise.resolve(false),
    ...changes,
  })
}

export function storing(path: string, size = 1, contentType = 'text/plain'): Action {
  return { kind: 'store', path, size, contentType }
}

export function deleting(path: string): Action {
  return { kind: 'delete', path }
}

/** Whether capabilities allow an action at their address. */
export function allows(
  capabilities: readonly Capability[],
  { principal, address }: VerifiedChain,
  action: Action,
): boolean {
  const authority: Authority = {
    address: parseAddress(address),
    credential: 'invocation',
    principal,
    isOwner: false,
    isScoped: false,
    capabilities,
    claimed: null,
    revoked: null,
    refusal: (_, reason) => new WireError('not_authorized', reason),
    renew: () => Promise.resolve(authority),
  }
  try {
    authorize(authority, action)
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

/** `allowed`, or the code of the refusal that a hub would tell. */
export async function outcome(jwt: string, action: Action, changes: Changes = {}): Promise<string> {
  try {
    return outcomeOf(await verifying(jwt, changes), action)
  } catch (error) {
    if (error instanceof UcanError) return error.code
    throw error
  }
}

export function outcomeOf(chain: VerifiedChain, action: Action): string {
  if (allows([...chain.capabilities, ...archiveStoresOf(chain)], chain, action)) return 'allowed'
  return chain.refusal((capability) => allows([capability], chain, action))?.code ?? 'no reason given'
}

function archiveStoresOf(chain: VerifiedChain): Capability[] {
  return chain.archiveStores.map((capability) => ({ ...capability, storeOnly: true }))
}

/** The refusal that a promise rejects with; fails when it does not. */
export async function refusalOf(promise: Promise<unknown>): Promise<UcanError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof UcanError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

export function expectRefusal(
  error: UcanError,
  code: UcanErrorCode,
  link: number | null,
  claim?: string,
): void {
  expect(error.code, error.message).to.equal(code)
  expect(error.link, error.message).to.equal(link)
  if (claim !== undefined) expect(error.claim, error.message).to.equal(claim)
}
