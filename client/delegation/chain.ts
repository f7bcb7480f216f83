import { DelegationError } from './errors.ts'
import { maxCapabilities, maxChainBytes, maxChainLength, maxTokens } from './limits.ts'
import { decodeToken, isOlder, type UcanToken } from './token.ts'

/** A token in its place. */
export interface ChainToken extends UcanToken {
  /** Steps from the outermost token, which is 0, by the shortest way. */
  readonly link: number
}

/** A token and everything that it rests on. A CID is a hash, so that nothing can rest on itself. */
export interface Chain {
  /** The outermost first, then in the order in which they are named; each once. */
  readonly tokens: readonly ChainToken[]
  /** Those that stand in no other one, the outermost aside: they have to travel beside it. */
  readonly companions: readonly string[]
  /** Proofs that are named and not at hand, with the link that names each. */
  readonly missing: ReadonlyArray<{ readonly cid: string; readonly link: number }>
}

/**
 * Reads a token with those that travel beside it, within the limits of every hub; nothing is verified.
 * @param companions tokens that it, or another of them, names by CID; each must be needed
 * @throws {DelegationError} `malformed`, `too-large`, `too-deep`
 */
export function readChain(jwt: string, companions: readonly string[]): Chain {
  const bytes = [jwt, ...companions].reduce((sum, text) => sum + text.length, 0)
  if (bytes > maxChainBytes) throw tooLarge(`${maxChainBytes} bytes`)
  if (companions.length >= maxTokens) throw tooLarge(`${maxTokens} tokens`)
  const beside = new Map(companions.map((text) => [decodeToken(text).cid, text]))
  const tokens = new Map<string, ChainToken>()
  const missing = new Map<string, number>()
  let wanted: Wanted[] = [{ cid: '', jwt, link: 0 }]
  while (wanted.length > 0) {
    wanted = wanted.flatMap((one) => {
      if (tokens.has(one.cid)) return []
      const text = one.jwt ?? beside.get(one.cid)
      if (text === undefined) missing.set(one.cid, missing.get(one.cid) ?? one.link - 1)
      return text === undefined ? [] : take(tokens, text, one.link)
    })
  }
  const chain = { tokens: [...tokens.values()], companions: [...new Set(companions)] }
  checkChain(tokens, beside)
  return { ...chain, missing: [...missing].map(([cid, link]) => ({ cid, link })) }
}

/** The proofs of a token that are at hand, each once, however often it names them. */
export function proofsOf(chain: Pick<Chain, 'tokens'>, token: UcanToken): ChainToken[] {
  const cids = new Set(token.proofs.map((proof) => proof.cid))
  return chain.tokens.filter(({ cid }) => cids.has(cid))
}

interface Wanted {
  readonly cid: string
  readonly jwt: string | null
  readonly link: number
}

/** Adds a token; returns its proofs. */
function take(tokens: Map<string, ChainToken>, jwt: string, link: number): Wanted[] {
  if (link >= maxChainLength) throw tooDeep()
  const token = { ...decodeToken(jwt, link), link }
  tokens.set(token.cid, token)
  if (tokens.size > maxTokens) throw tooLarge(`${maxTokens} tokens`)
  return token.proofs.map((proof) => ({ ...proof, link: link + 1 }))
}

function checkChain(tokens: ReadonlyMap<string, ChainToken>, beside: ReadonlyMap<string, string>): void {
  const all = [...tokens.values()]
  if ([...beside.keys()].some((cid) => !tokens.has(cid))) {
    throw new DelegationError('malformed', 'the delegation comes with a token that it does not rest on')
  }
  if (all.reduce((sum, token) => sum + token.capabilityCount, 0) > maxCapabilities) {
    throw tooLarge(`${maxCapabilities} capabilities in all tokens`)
  }
  if (longestWay(tokens) > maxChainLength) throw tooDeep()
  for (const token of all) {
    if (proofsOf({ tokens: all }, token).some((proof) => isOlder(token.version, proof.version))) {
      const place = { link: token.link, claim: 'ucv' }
      throw new DelegationError(
        'malformed',
        `link ${token.link}: its version is older than its proof's`,
        place,
      )
    }
  }
}

/** Tokens on the longest way from the outermost one to an end. */
export function longestWay(tokens: ReadonlyMap<string, UcanToken>): number {
  const lengths = new Map<string, number>()
  const lengthOf = (cid: string): number => {
    const token = tokens.get(cid)
    if (token === undefined) return 0
    const length = lengths.get(cid) ?? 1 + Math.max(0, ...token.proofs.map((proof) => lengthOf(proof.cid)))
    lengths.set(cid, length)
    return length
  }
  return Math.max(0, ...[...tokens.keys()].map(lengthOf))
}

function tooLarge(bound: string): DelegationError {
  return new DelegationError('too-large', `a delegation has at most ${bound}`)
}

function tooDeep(): DelegationError {
  return new DelegationError('too-deep', `a chain has at most ${maxChainLength} links`)
}
