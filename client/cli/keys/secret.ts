import { hexToBytes } from '@noble/hashes/utils.js'
import { generateMnemonic, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { CliError } from '../cli-error.ts'
import { isDerivationPath, privateKeyOfPhrase, standardPath } from './derive.ts'
import { curves, type KeyKind, publicNamesOf } from './kinds.ts'
import { isOpeningText } from './opening.ts'

/** A phrase of 24 words has at most 24 × 9 characters; keys that open sealed files stand behind it. */
export const maxSecretBytes = 8192

/** The secret half of a key, as it is kept. */
export interface Secret {
  /** 64 hex digits. */
  readonly privateKey: string
  /** The BIP-39 phrase that it comes from, and the path; a key that was imported as hex has none. */
  readonly phrase?: string
  readonly path?: string
  /** Keys that were made to open sealed files in the place of the first one, the youngest first; see opening.ts. */
  readonly openings?: readonly string[]
  /** Set while files are wrapped for the youngest of them: what was not finished goes on. */
  readonly rotating?: true
}

/** The half that everybody may see. */
export interface PublicKey {
  readonly kind: KeyKind
  readonly did: string
  readonly address: string
}

/** 12 words carry 128 bits, 24 words 256. */
export async function newSecret(kind: KeyKind, words: 12 | 24): Promise<Secret> {
  return secretOfPhrase(kind, generateMnemonic(wordlist, words === 12 ? 128 : 256), standardPath)
}

/** @throws {CliError} where the path does not fit the kind */
export async function secretOfPhrase(kind: KeyKind, phrase: string, path: string): Promise<Secret> {
  if (!isDerivationPath(kind, path)) {
    const rule = kind === 'secp256k1' ? '' : '; every step is hardened (ends in an apostrophe)'
    throw new CliError('usage', `the derivation path of a ${kind} key is written like ${standardPath}${rule}`)
  }
  return { privateKey: await privateKeyOfPhrase(kind, phrase, path), phrase, path }
}

/**
 * Reads a secret as people keep it: a BIP-39 phrase, 64 hex digits (or 66 that end in 01, as Stacks libraries write a
 * key whose public key is compressed), either with its kind in front: `p256:…`, and behind it the keys that open sealed
 * files, where some were made.
 * @param kind of a text that does not say
 * @throws {CliError} that does not repeat the text
 */
export async function readSecret(
  text: string,
  kind: KeyKind,
  path = standardPath,
): Promise<[KeyKind, Secret]> {
  const [, named, rest = ''] = /^(?:(secp256k1|ed25519|p256):)?([\s\S]*)$/.exec(text.trim()) ?? []
  const ownKind = (named as KeyKind | undefined) ?? kind
  const tokens = rest.normalize('NFKD').trim().split(/\s+/)
  const openings = tokens.filter(isOpeningText)
  const words = tokens.filter((token) => !isOpeningText(token)).map((word) => word.toLowerCase())
  const secret =
    words.length > 1 ? await phraseSecret(ownKind, words.join(' '), path) : hexSecret(ownKind, words[0] ?? '')
  return [ownKind, openings.length === 0 ? secret : { ...secret, openings }]
}

async function phraseSecret(kind: KeyKind, phrase: string, path: string): Promise<Secret> {
  if (validateMnemonic(phrase, wordlist)) return secretOfPhrase(kind, phrase, path)
  const unknown = phrase.split(' ').findIndex((word) => !wordlist.includes(word))
  const fault =
    unknown < 0
      ? 'its checksum is wrong: a word is missing or another'
      : `word ${unknown + 1} is not in the list`
  throw new CliError('invalid', `that is no BIP-39 phrase of English words: ${fault}`)
}

function hexSecret(kind: KeyKind, hex: string): Secret {
  const [, digits] = /^(?:0x)?([0-9a-f]{64})(?:01)?$/.exec(hex) ?? []
  if (digits === undefined || !curves[kind].isPrivateKey(hexToBytes(digits))) {
    throw new CliError('invalid', `that is neither a BIP-39 phrase nor the 64 hex digits of a ${kind} key`)
  }
  return { privateKey: digits }
}

/** What a secret is written down as, a line for each key; {@link readSecret} reads it. */
export function writeSecret(kind: KeyKind, { privateKey, phrase, openings = [] }: Secret): string {
  return [`${kind === 'secp256k1' ? '' : `${kind}:`}${phrase ?? privateKey}`, ...openings].join('\n')
}

export function publicKeyOf(kind: KeyKind, { privateKey }: Secret): PublicKey {
  return { kind, ...publicNamesOf(kind, hexToBytes(privateKey)) }
}
