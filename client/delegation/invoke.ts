import { composeUcan, signUcan, type UcanCapability } from '../sign-ucan.ts'
import type { Signer } from '../signers/signer.ts'
import type { HubInfo } from '../transport/transport.ts'
import { longestWay } from './chain.ts'
import type { Delegation } from './delegation.ts'
import { DelegationError } from './errors.ts'
import { maxCapabilities, maxChainLength, maxTokens } from './limits.ts'
import { canInline, inlineProofs, namedProofs, type ProofClaims, tokensBeside } from './rest-on.ts'

/** How a chain is sent: held by the invocation, or beside it in the header `ucans`. */
export type Way = 'inline' | 'header'

export interface InvokeOptions {
  readonly signer: Signer
  readonly hub: Pick<HubInfo, 'did' | 'maxUcanBytes' | 'ucanVersions'>
  /** What the request needs, each covered by one of the delegations, its caveats said again. */
  readonly capabilities: readonly UcanCapability[]
  /** Made out to the signer. */
  readonly delegations: readonly Delegation[]
  /** Seconds since 1970: when the invocation ends. Not after any of its delegations. */
  readonly expiration: number
}

/** An invocation with what it rests on, ready to be sent. */
export interface Invocation {
  readonly way: Way
  readonly headers: Record<string, string>
  /** Characters of the headers. */
  readonly length: number
}

/** How one way would look. */
interface Plan {
  readonly way: Way
  readonly claims: ProofClaims
  /** Tokens of the `ucans` header. */
  readonly beside: readonly string[]
  readonly length: number
}

/**
 * Signs an invocation (PROTOCOL 2.3 A) in the cheapest way that the hub takes: with its proofs inside, or, where that
 * saves more than an eighth of the bytes, with their CIDs and the tokens beside it.
 * @throws {DelegationError} `too-large` where no way fits the hub's limits, `too-deep`
 */
export async function invoke(options: InvokeOptions): Promise<Invocation> {
  const { signer, hub, delegations } = options
  checkCounts(options)
  const did = await signer.did()
  const plans = [...inlinePlan(options, did), ...headerPlan(options, did)].sort(
    (a, b) => costOf(a) - costOf(b),
  )
  const best = plans.find((plan) => chainBytes(plan, delegations) <= hub.maxUcanBytes)
  if (best === undefined)
    throw tooLarge(`the ${hub.maxUcanBytes.toLocaleString('en')} bytes that this hub takes`)
  const jwt = await signUcan(signer, contentOf(options, best.claims))
  const headers = headersOf(jwt, best.beside, delegations)
  return { way: best.way, headers, length: lengthOf(headers) }
}

/** Every proxy passes `Authorization` on; a second header must be worth it. */
function costOf({ way, length }: Plan): number {
  return way === 'header' ? length * 1.125 : length
}

function checkCounts({ delegations, capabilities }: InvokeOptions): void {
  const tokens = new Map(delegations.flatMap(({ chain }) => chain.tokens.map((token) => [token.cid, token])))
  if (tokens.size >= maxTokens) throw tooLarge(`${maxTokens} tokens`)
  if (longestWay(tokens) >= maxChainLength) {
    throw new DelegationError(
      'too-deep',
      `a chain has at most ${maxChainLength} links, the invocation among them`,
    )
  }
  const held = [...tokens.values()].reduce((sum, token) => sum + token.capabilityCount, capabilities.length)
  if (held > maxCapabilities) throw tooLarge(`${maxCapabilities} capabilities in all tokens`)
}

function tooLarge(bound: string): DelegationError {
  const why = `the chain of this delegation goes beyond ${bound}; have it deposited at the hub ("grant")`
  return new DelegationError('too-large', why)
}

function inlinePlan(options: InvokeOptions, did: string): Plan[] {
  const { delegations } = options
  return canInline(delegations) ? [planOf('inline', options, did, inlineProofs(delegations), [])] : []
}

function headerPlan(options: InvokeOptions, did: string): Plan[] {
  const { delegations, hub } = options
  if (!hub.ucanVersions.some((version) => /^0\.(9|10)\./.test(version))) return []
  return [planOf('header', options, did, namedProofs(delegations), tokensBeside(delegations))]
}

/** The length is known before anything is signed: every signature has 64 bytes. */
function planOf(
  way: Way,
  options: InvokeOptions,
  did: string,
  claims: ProofClaims,
  beside: readonly string[],
): Plan {
  const { payload, headerExtras } = composeUcan(did, contentOf(options, claims))
  const header = { typ: 'JWT', alg: options.signer.jwtAlg, ...headerExtras }
  const jwt = [base64Length(header), base64Length(payload), 86].map((length) => 'x'.repeat(length)).join('.')
  return { way, claims, beside, length: lengthOf(headersOf(jwt, beside, options.delegations)) }
}

function base64Length(segment: object): number {
  return Math.ceil((new TextEncoder().encode(JSON.stringify(segment)).length * 4) / 3)
}

function contentOf({ hub, capabilities, expiration }: InvokeOptions, claims: ProofClaims) {
  if (hub.did === null) throw new DelegationError('no-delegation', 'this hub knows nothing of delegations')
  return { audience: hub.did, capabilities, expiration, ...claims }
}

function headersOf(
  jwt: string,
  beside: readonly string[],
  delegations: readonly Delegation[],
): Record<string, string> {
  const cids = new Map(
    delegations.flatMap(({ chain }) => chain.tokens.map((token) => [token.jwt, token.cid])),
  )
  const ucans = beside.map((token) => `${cids.get(token)}: ${token}`).join(', ')
  return { Authorization: `Bearer ucan:${jwt}`, ...(ucans === '' ? {} : { ucans }) }
}

function lengthOf(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + ': \r\n'.length + value.length,
    0,
  )
}

/** What the hub counts: tokens alone, without what stands around them. */
function chainBytes({ length, beside }: Plan, delegations: readonly Delegation[]): number {
  const around =
    lengthOf(headersOf('', beside, delegations)) - beside.reduce((sum, token) => sum + token.length, 0)
  return length - around
}
