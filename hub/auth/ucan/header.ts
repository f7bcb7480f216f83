import { cidOf, isCid } from './cid.ts'
import { UcanError } from './errors.ts'
import { maxTokens, maxUcanBytes } from './limits.ts'

/** Room for `<cid>: ` and a comma beside each token. */
const maxHeaderLength = maxUcanBytes + maxTokens * 64

/**
 * Reads the `ucans` request header: `<cid>: <jwt>` entries, divided by commas. Every CID must be that of its token;
 * the tokens themselves are not looked into.
 * @returns the tokens by CID; empty where the header is absent
 * @throws {UcanError} `malformed` or `too-large`
 */
export function parseUcansHeader(text: string | undefined): ReadonlyMap<string, string> {
  const proofs = new Map<string, string>()
  if (text === undefined) return proofs
  if (text.length > maxHeaderLength) {
    throw new UcanError('too-large', {
      link: null,
      claim: 'ucans',
      expected: `at most ${maxUcanBytes} bytes of tokens`,
    })
  }
  for (const entry of text.split(',')) {
    // Empty elements of a list are to be ignored (RFC 9110 5.6.1).
    if (entry.trim() !== '') addEntry(proofs, entry.trim())
  }
  return proofs
}

function addEntry(proofs: Map<string, string>, entry: string): void {
  const [, cid = '', jwt = ''] = /^([^\s:]+):[ \t]*(\S+)$/.exec(entry) ?? []
  if (!isCid(cid) || cidOf(jwt) !== cid)
    throw refuse('malformed', 'entries of a CID and the token that it is of')
  if (proofs.has(cid)) throw refuse('malformed', 'each token once')
  if (proofs.size >= maxTokens) throw refuse('too-large', `at most ${maxTokens} tokens`)
  proofs.set(cid, jwt)
}

function refuse(code: 'malformed' | 'too-large', expected: string): UcanError {
  return new UcanError(code, { link: null, claim: 'ucans', expected })
}
