import { addressOfDidPkh, type PublicKey, p2pkhAddress } from '../keys.ts'
import { UcanError } from './errors.ts'
import { type ChainToken, proofsOf, type TokenGraph } from './graph.ts'

/**
 * Whether a DID names a key: the key's own `did:key`, or the `did:pkh` of its P2PKH address where only that was
 * known when the token was made out.
 */
export function namesKey(did: string, key: PublicKey): boolean {
  if (did === key.did) return true
  return key.kind === 'secp256k1' && addressOfDidPkh(did) === p2pkhAddress(key)
}

/** @throws {UcanError} `wrong-audience` */
export function checkAudience({ ucan, link }: ChainToken, isAudience: (did: string) => boolean): void {
  if (isAudience(ucan.audience)) return
  throw new UcanError('wrong-audience', { link, claim: 'aud', expected: 'the one that it is used with' })
}

/** Every proof is made out to the issuer of the token that uses it. @throws {UcanError} `principal-mismatch` */
export function checkAlignment(graph: TokenGraph): void {
  for (const token of graph.tokens.values()) {
    for (const proof of proofsOf(graph, token)) {
      if (namesKey(proof.ucan.audience, token.ucan.issuer)) continue
      throw new UcanError('principal-mismatch', {
        link: token.link,
        claim: 'iss',
        expected: 'the key that its proof was delegated to (aud)',
      })
    }
  }
}
