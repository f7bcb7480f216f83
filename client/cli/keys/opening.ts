import { p256 } from '@noble/curves/nist.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base58 } from '@scure/base'
import { kinds } from '../../seal/encryption-key.ts'
import {
  exportOpeningKey,
  generateOpeningKey,
  importOpeningKey,
  type OpeningKey,
  stacksOpeningKey,
} from '../../seal/opening-key.ts'
import { stacksSigner } from '../../signers/stacks-signer.ts'
import type { KeyKind } from './kinds.ts'

interface OpeningSecret {
  readonly privateKey: string
  readonly openings?: readonly string[]
}

/**
 * The keys that open what is sealed for a key, the youngest first. The oldest comes from the key itself, so that its
 * phrase, or its hex digits, are a backup of both; those that were made later are kept beside it, and are in its backup.
 */
export async function openingKeysOf(
  kind: KeyKind,
  { privateKey, openings = [] }: OpeningSecret,
): Promise<OpeningKey[]> {
  const later = await Promise.all(openings.map((text) => importOpeningKey(text)))
  return [...later, await firstOpeningKey(kind, privateKey)]
}

/** A key in the place of the present one, as it is kept. */
export async function newOpeningText(kind: KeyKind): Promise<string> {
  const key = await generateOpeningKey(kind === 'ed25519' ? 'X25519' : 'P-256', { extractable: true })
  return exportOpeningKey(key)
}

/** Whether a text has the form of a key that opens; no word of a phrase and no hex digits have it. */
export function isOpeningText(text: string): boolean {
  return /^z[1-9A-HJ-NP-Za-km-z]{40,60}$/.test(text)
}

/**
 * A Stacks key opens with itself. Ed25519 and P-256 keys sign only; from each comes another key, X25519 or P-256, by
 * HKDF-SHA256 (RFC 5869), from which nobody gets back to the one that signs.
 */
function firstOpeningKey(kind: KeyKind, privateKey: string): Promise<OpeningKey> | OpeningKey {
  if (kind === 'secp256k1') return stacksOpeningKey(stacksSigner(privateKey))
  const info = utf8ToBytes(`mandate opening key v1 ${kind}`)
  const bytes = hkdf(sha256, hexToBytes(privateKey), undefined, info, 48)
  // 48 bytes, so that the remainder modulo the order of the curve favours no key (FIPS 186-5 A.2.1).
  const isP256 = kind === 'p256'
  const secret = isP256 ? p256.utils.randomSecretKey(bytes) : bytes.slice(0, 32)
  const { privatePrefix } = kinds[isP256 ? 'P-256' : 'X25519']
  return importOpeningKey(`z${base58.encode(Uint8Array.from([...privatePrefix, ...secret]))}`)
}
