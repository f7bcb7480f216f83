import { UcanError } from './errors.ts'
import { type ChainToken, proofsOf, type TokenGraph } from './graph.ts'
import { clockLeewaySeconds } from './limits.ts'

/**
 * Checks the times of each token, and then those between a token and its proofs (PROTOCOL 2.2).
 * @param now seconds since 1970
 * @param maxLifetimeSeconds how far ahead the outermost token may expire; `null` for no bound
 * @throws {UcanError} `expired`, `not-yet-valid`, `time-bounds`
 */
export function checkTimes(graph: TokenGraph, now: number, maxLifetimeSeconds: number | null): void {
  for (const token of graph.tokens.values()) checkWindow(token, now)
  checkLifetime(graph.outermost, now, maxLifetimeSeconds)
  if (nested.has(graph)) return
  const begins = effectiveBegins(graph)
  for (const token of graph.tokens.values()) {
    for (const proof of proofsOf(graph, token)) checkWithinProof(token, proof, begins)
  }
  nested.add(graph)
}

/** Graphs in which every token lies within the times of its proofs: as long as they are the same, so does each. */
const nested = new WeakSet<TokenGraph>()

function checkWindow({ ucan, link }: ChainToken, now: number): void {
  const { expiration, notBefore } = ucan
  // `exp` is the first second in which the token is not valid.
  if (expiration !== null && now >= expiration) {
    throw new UcanError('expired', { link, claim: 'exp', expected: 'a time that is still ahead' })
  }
  if (notBefore === null) return
  if (notBefore > now + clockLeewaySeconds) {
    throw new UcanError('not-yet-valid', { link, claim: 'nbf', expected: 'a time that has come' })
  }
  if (expiration !== null && notBefore >= expiration) {
    throw new UcanError('time-bounds', { link, claim: 'nbf', expected: 'a time before exp' })
  }
}

function checkLifetime({ ucan, link }: ChainToken, now: number, maxLifetimeSeconds: number | null): void {
  if (maxLifetimeSeconds === null) return
  if (ucan.expiration !== null && ucan.expiration <= now + maxLifetimeSeconds) return
  throw new UcanError('time-bounds', {
    link,
    claim: 'exp',
    expected: `at most ${maxLifetimeSeconds} seconds from now`,
  })
}

/** First second of each token; one that does not say begins with the last of its proofs. */
function effectiveBegins(graph: TokenGraph): ReadonlyMap<ChainToken, number> {
  const begins = new Map<ChainToken, number>()
  const beginOf = (token: ChainToken): number => {
    const known = begins.get(token)
    if (known !== undefined) return known
    const begin = token.ucan.notBefore ?? Math.max(0, ...proofsOf(graph, token).map(beginOf))
    begins.set(token, begin)
    return begin
  }
  for (const token of graph.tokens.values()) beginOf(token)
  return begins
}

function checkWithinProof(
  child: ChainToken,
  proof: ChainToken,
  begins: ReadonlyMap<ChainToken, number>,
): void {
  const { link, ucan } = child
  const { expiration } = proof.ucan
  if (expiration !== null && (ucan.expiration === null || ucan.expiration > expiration)) {
    throw new UcanError('time-bounds', { link, claim: 'exp', expected: 'a time not after exp of its proof' })
  }
  if (ucan.notBefore !== null && ucan.notBefore < (begins.get(proof) ?? 0)) {
    throw new UcanError('time-bounds', { link, claim: 'nbf', expected: 'a time not before nbf of its proof' })
  }
}
