import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { didPkhOf, parseDidKey } from '../did.ts'
import { InvalidInputError } from '../errors.ts'
import { DelegationError } from './errors.ts'

const base58check = createBase58check(sha256)

const didPkhPrefix = didPkhOf('')

/**
 * The DID of somebody to whom something is delegated.
 * @param to a `did:key`, a `did:pkh` of Bitcoin's main chain, or an address: `1…` becomes a `did:pkh`, since the key
 *   behind it is not known; `z…` is the identifier of a `did:key`
 * @throws {DelegationError} `invalid-recipient`, for an address with a wrong checksum too
 */
export function audienceOf(to: string): string {
  const did = to.startsWith('z') ? `did:key:${to}` : isP2pkhAddress(to) ? didPkhOf(to) : to
  if (isKeyDid(did) || isPkhDid(did)) return did
  throw new DelegationError(
    'invalid-recipient',
    'the recipient must be a did:key (Ed25519, P-256, secp256k1), an address (1… or z…), or a did:pkh of one',
  )
}

/** Whether a DID names an Ed25519, P-256 or secp256k1 key, by its form. */
export function isKeyDid(did: string): boolean {
  try {
    parseDidKey(did)
    return true
  } catch (error) {
    if (error instanceof InvalidInputError) return false
    throw error
  }
}

/** Whether a DID names a hub. */
export function isHubDid(did: string): boolean {
  return /^did:web:(?:[a-zA-Z0-9._:-]|%[0-9a-fA-F]{2}){1,255}$/.test(did)
}

/** Whether a DID names an address of Bitcoin's main chain, with a right checksum. */
export function isPkhDid(did: string): boolean {
  return did.startsWith(didPkhPrefix) && isP2pkhAddress(did.slice(didPkhPrefix.length))
}

/** Base58Check of version 0 and 20 bytes. */
function isP2pkhAddress(text: string): boolean {
  if (!/^1[1-9A-HJ-NP-Za-km-z]{25,33}$/.test(text)) return false
  try {
    const payload = base58check.decode(text)
    return payload.length === 21 && payload[0] === 0
  } catch {
    // A wrong checksum: a slip of the pen must not become a recipient.
    return false
  }
}
