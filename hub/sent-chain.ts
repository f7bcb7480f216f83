import type { SentChain } from './auth/chains.ts'
import { byCid } from './auth/chains.ts'
import { refuseUcan } from './auth/refusal.ts'
import { maxTokens, UcanError } from './auth/ucan/index.ts'
import { invalidMember } from './json-body.ts'

/**
 * A delegation in a body: `ucan`, a JWT, and `proofs`, the tokens that it names by CID: a list of JWTs, or an object
 * of them by CID.
 * @throws {WireError} `invalid_input` for anything but texts, `too-large` for more tokens than any chain has
 */
export function sentChain(body: Readonly<Record<string, unknown>>): SentChain {
  if (typeof body.ucan !== 'string' || body.ucan === '') throw invalidMember('ucan', 'a UCAN as a JWT')
  return { jwt: body.ucan, proofs: byCid(readProofs(body.proofs ?? [])) }
}

function readProofs(proofs: unknown): string[] {
  const list: unknown[] = typeof proofs === 'object' && proofs !== null ? Object.values(proofs) : [proofs]
  if (list.length > maxTokens) {
    throw refuseUcan(new UcanError('too-large', { link: null, expected: `at most ${maxTokens} tokens` }))
  }
  if (!list.every((proof) => typeof proof === 'string')) {
    throw invalidMember('proofs', 'a list of UCANs as JWTs')
  }
  return list
}
