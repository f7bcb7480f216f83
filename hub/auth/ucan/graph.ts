import type { PublicKey } from '../keys.ts'
import { verifySignature } from '../signature.ts'
import { cidOf, signatureBytes, signingInput } from './cid.ts'
import { countCapabilities, decodeUcan, type Ucan } from './decode.ts'
import { UcanError } from './errors.ts'
import { maxCapabilities, maxChainLength, maxTokens, maxUcanBytes } from './limits.ts'
import { takeTurn } from './turns.ts'
import { isOlder } from './version.ts'

/** A token in its place. */
export interface ChainToken {
  readonly ucan: Ucan
  /** Steps from the outermost token, which is 0, by the shortest way. */
  readonly link: number
}

/** All tokens that a UCAN rests on. CIDs are hashes, so there are no cycles. */
export interface TokenGraph {
  /** By CID, the outermost first, then in the order in which they are named. */
  readonly tokens: ReadonlyMap<string, ChainToken>
  readonly outermost: ChainToken
  /** Proofs that are named and not at hand, with the shallowest link that names each. */
  readonly missing: readonly { readonly cid: string; readonly link: number }[]
}

/**
 * Remembers decoded tokens whose signature was verified, by CID, so that a chain that comes again costs no
 * signature check. The caller owns it and bounds it; an LRU map of some thousand entries will do. One token takes
 * up to about 20 KiB, most of them 1 to 2.
 */
export interface VerifiedTokenCache {
  get(cid: string): Ucan | undefined
  set(cid: string, ucan: Ucan): unknown
}

export type SignatureCheck = (key: PublicKey, data: Uint8Array, signature: Uint8Array) => boolean

export interface GatherOptions {
  /** Tokens that came with this one, by CID. Those that nothing names count against the limits, no more. */
  proofs?: ReadonlyMap<string, string> | undefined
  /** Looks a CID up elsewhere; what it gives is checked like anything else. */
  resolveProof?: ((cid: string) => Promise<string | null>) | undefined
  verified?: VerifiedTokenCache | undefined
  checkSignature?: SignatureCheck | undefined
}

/** A token that is named and has yet to be found. */
interface Edge {
  readonly cid: string
  /** The token itself where the CID was made from it; `null` where only the CID is known. */
  readonly jwt: string | null
  readonly link: number
  readonly child: Ucan | null
}

/**
 * Decodes a token and every proof that it rests on, and verifies each signature once. Everything that came with the
 * token is decoded and within the limits before its first signature is verified, and nothing is looked up elsewhere
 * before those signatures are right.
 * @param mustExpire whether the outermost token must
 * @throws {UcanError} `malformed`, `too-large`, `too-deep`, `bad-signature`, or what `resolveProof` rejects with
 */
export async function gatherTokens(
  jwt: string,
  options: GatherOptions,
  mustExpire = false,
): Promise<TokenGraph> {
  const sent = options.proofs ?? new Map<string, string>()
  checkSentBytes(jwt, sent)
  const cid = cidOf(jwt)
  const known = sent.size === 0 ? knownGraph(options.verified?.get(cid)) : undefined
  if (known !== undefined) {
    if (mustExpire) checkExpires(known.outermost.ucan)
    return known
  }
  const gathering = new Gathering(options, sent, mustExpire)
  gathering.want({ cid, jwt, link: 0, child: null })
  for (;;) {
    const unresolved = await gathering.takeAllAtHand()
    gathering.checkLimits()
    await gathering.verifySignatures()
    if (unresolved.length === 0) return gathering.graph()
    await gathering.resolve(unresolved)
  }
}

/**
 * Whole graphs by their outermost token, as long as a cache of the caller's keeps that: of tokens that hold all their
 * proofs, so that nothing about them can be another the next time.
 */
const wholeGraphs = new WeakMap<Ucan, TokenGraph>()

function knownGraph(outermost: Ucan | undefined): TokenGraph | undefined {
  return outermost === undefined ? undefined : wholeGraphs.get(outermost)
}

function checkSentBytes(jwt: string, sent: ReadonlyMap<string, string>): void {
  const total = [jwt, ...sent.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (total > maxUcanBytes)
    throw tooLarge(`at most ${maxUcanBytes} bytes, the token and all its proofs together`)
}

function tooLarge(expected: string): UcanError {
  return new UcanError('too-large', { link: null, expected })
}

class Gathering {
  readonly #tokens = new Map<string, ChainToken>()
  readonly #missing = new Map<string, number>()
  readonly #sent: ReadonlyMap<string, string>
  readonly #options: GatherOptions
  readonly #mustExpire: boolean
  /** All that was sent, is named or was found. */
  readonly #cids: Set<string>
  /** Whether every token lies within the one that names it. */
  #isSelfContained = true
  #wanted: Edge[] = []
  #unverified: Array<{ token: ChainToken; jwt: string }> = []

  constructor(options: GatherOptions, sent: ReadonlyMap<string, string>, mustExpire: boolean) {
    this.#options = options
    this.#mustExpire = mustExpire
    this.#sent = sent
    this.#cids = new Set(sent.keys())
  }

  want(edge: Edge): void {
    this.#isSelfContained &&= edge.jwt !== null
    this.#wanted.push(edge)
  }

  /** Decodes everything wanted that is at hand, breadth first. Returns what is not at hand. */
  async takeAllAtHand(): Promise<Edge[]> {
    const unresolved: Edge[] = []
    for (let edge = this.#wanted.shift(); edge !== undefined; edge = this.#wanted.shift()) {
      if (edge.link >= maxChainLength) throw tooDeep()
      const known = this.#tokens.get(edge.cid)
      const jwt = edge.jwt ?? this.#sent.get(edge.cid) ?? null
      if (known !== undefined) checkVersions(edge, known.ucan)
      else if (jwt !== null) await this.#add(edge, jwt)
      else if (!this.#missing.has(edge.cid)) unresolved.push(edge)
      this.#count(edge.cid)
    }
    return unresolved
  }

  async #add(edge: Edge, jwt: string): Promise<void> {
    const remembered = this.#options.verified?.get(edge.cid)
    if (remembered === undefined) await takeTurn()
    const cid = edge.jwt === null ? cidOf(jwt) : edge.cid
    if (cid !== edge.cid) throw notOfItsCid(edge)
    const ucan = remembered ?? decodeUcan(jwt, edge.link, cid)
    checkVersions(edge, ucan)
    if (edge.child === null && this.#mustExpire) checkExpires(ucan)
    const token = { ucan, link: edge.link }
    this.#tokens.set(edge.cid, token)
    if (remembered === undefined) this.#unverified.push({ token, jwt })
    for (const proof of ucan.proofs) {
      this.want({ cid: proof.cid, jwt: proof.jwt, link: edge.link + 1, child: ucan })
    }
  }

  #count(cid: string): void {
    this.#cids.add(cid)
    if (this.#cids.size > maxTokens) throw tooLarge(`at most ${maxTokens} tokens`)
  }

  checkLimits(): void {
    const unnamed = [...this.#sent].filter(([cid]) => !this.#tokens.has(cid))
    const counts = [
      ...[...this.#tokens.values()].map(({ ucan }) => ucan.capabilityCount),
      ...unnamed.map(([, jwt]) => countCapabilities(jwt)),
    ]
    if (counts.reduce((sum, count) => sum + count, 0) > maxCapabilities) {
      throw tooLarge(`at most ${maxCapabilities} capabilities in all tokens`)
    }
    if (longestChain(this.#tokens) > maxChainLength) throw tooDeep()
  }

  /** Each token once. The first one still belongs to the turn in which the last token was decoded. */
  async verifySignatures(): Promise<void> {
    const { checkSignature = verifySignature, verified } = this.#options
    for (const [index, { token, jwt }] of this.#unverified.entries()) {
      if (index > 0) await takeTurn()
      const { ucan, link } = token
      if (!checkSignature(ucan.issuer, Buffer.from(signingInput(jwt)), signatureBytes(jwt))) {
        throw new UcanError('bad-signature', { link, expected: 'a signature by the key of iss' })
      }
      verified?.set(ucan.cid, ucan)
    }
    this.#unverified = []
  }

  async resolve(unresolved: readonly Edge[]): Promise<void> {
    const { resolveProof = () => Promise.resolve(null) } = this.#options
    const cids = [...new Set(unresolved.map((edge) => edge.cid))]
    const found = new Map(await Promise.all(cids.map(async (cid) => [cid, await resolveProof(cid)] as const)))
    for (const edge of unresolved) {
      const jwt = found.get(edge.cid) ?? null
      // Whoever keeps the proof may withhold it, but not put another one in its place.
      if (jwt !== null && cidOf(jwt) === edge.cid) this.want({ ...edge, jwt })
      else this.#missing.set(edge.cid, edge.link - 1)
    }
  }

  graph(): TokenGraph {
    const [outermost] = this.#tokens.values()
    if (outermost === undefined) throw new Error('a graph begins with the token that was asked for')
    const missing = [...this.#missing].map(([cid, link]) => ({ cid, link }))
    const graph = { tokens: this.#tokens, outermost, missing }
    if (this.#isSelfContained) wholeGraphs.set(outermost.ucan, graph)
    return graph
  }
}

function notOfItsCid({ link }: Edge): UcanError {
  return new UcanError('malformed', { link, expected: 'a token whose CID is the one that it is sent under' })
}

/** `exp: null` is for delegations only, never for an invocation (PROTOCOL 2.2). */
function checkExpires(ucan: Ucan): void {
  if (ucan.expiration !== null) return
  throw new UcanError('malformed', { link: 0, claim: 'exp', expected: 'a time; an invocation must expire' })
}

function tooDeep(): UcanError {
  return new UcanError('too-deep', {
    link: maxChainLength,
    expected: `at most ${maxChainLength} tokens from root to invocation`,
  })
}

/** A child is not older in version than its proof (PROTOCOL 2.2). */
function checkVersions(edge: Edge, proof: Ucan): void {
  if (edge.child === null || !isOlder(edge.child.version, proof.version)) return
  throw new UcanError('malformed', {
    link: edge.link - 1,
    claim: 'ucv',
    expected: 'a version not older than that of the proof',
  })
}

/** Tokens on the longest way from any token to its end. */
function longestChain(tokens: ReadonlyMap<string, ChainToken>): number {
  const lengths = new Map<string, number>()
  const lengthOf = (cid: string): number => {
    const known = lengths.get(cid)
    if (known !== undefined) return known
    const proofs = tokens.get(cid)?.ucan.proofs ?? []
    const length =
      1 + Math.max(0, ...proofs.filter((proof) => tokens.has(proof.cid)).map(({ cid }) => lengthOf(cid)))
    lengths.set(cid, length)
    return length
  }
  return Math.max(0, ...[...tokens.keys()].map(lengthOf))
}

/** The proofs of a token that are at hand. */
export function proofsOf(graph: TokenGraph, token: ChainToken): ChainToken[] {
  return token.ucan.proofs.map(({ cid }) => graph.tokens.get(cid)).filter((proof) => proof !== undefined)
}
