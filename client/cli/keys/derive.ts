import { p256 } from '@noble/curves/nist.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { HARDENED_OFFSET, HDKey } from '@scure/bip32'
import { mnemonicToSeedWebcrypto } from '@scure/bip39'
import type { KeyKind } from './kinds.ts'

/** Where a Stacks wallet keeps the key of its first account that owns files; all steps are hardened. */
export const standardPath = "m/888'/0'/0'"

/**
 * The private key, 64 hex digits, of a BIP-39 phrase: by BIP-32 for secp256k1, by SLIP-0010 for the others.
 * @param path steps of `m/…`; all of them hardened (`'`) unless the kind is secp256k1
 */
export async function privateKeyOfPhrase(kind: KeyKind, phrase: string, path: string): Promise<string> {
  const seed = await mnemonicToSeedWebcrypto(phrase)
  return bytesToHex(kind === 'secp256k1' ? bip32Key(seed, path) : slip10Key(kind, seed, path))
}

/** Whether a path can be used for keys of a kind. */
export function isDerivationPath(kind: KeyKind, path: string): boolean {
  const steps = /^m((?:\/\d{1,10}'?){1,20})$/.exec(path)?.[1]?.slice(1).split('/')
  if (steps === undefined) return false
  return steps.every(
    (step) => Number.parseInt(step, 10) < HARDENED_OFFSET && (kind === 'secp256k1' || step.endsWith("'")),
  )
}

function bip32Key(seed: Uint8Array, path: string): Uint8Array {
  const { privateKey } = HDKey.fromMasterSeed(seed).derive(path)
  if (privateKey === null) throw new Error('BIP-32 gave no private key')
  return privateKey
}

/** Key and chain code. */
type Node = readonly [Uint8Array, Uint8Array]

/** SLIP-0010, private parent to private child, hardened steps only. */
export function slip10Key(kind: 'ed25519' | 'p256', seed: Uint8Array, path: string): Uint8Array {
  const steps = path.split('/').slice(1)
  let node = masterNode(kind, seed)
  for (const step of steps) node = childNode(kind, node, Number.parseInt(step, 10) + HARDENED_OFFSET)
  return node[0]
}

const seedKeys = { ed25519: 'ed25519 seed', p256: 'Nist256p1 seed' } as const

function masterNode(kind: 'ed25519' | 'p256', seed: Uint8Array): Node {
  const key = utf8ToBytes(seedKeys[kind])
  let digest = hmac(sha512, key, seed)
  // SLIP-0010: "If curve is not ed25519 and I_L is 0 or >= n: set S := I and continue".
  while (kind === 'p256' && !p256.utils.isValidSecretKey(digest.slice(0, 32)))
    digest = hmac(sha512, key, digest)
  return [digest.slice(0, 32), digest.slice(32)]
}

function childNode(kind: 'ed25519' | 'p256', [key, chainCode]: Node, index: number): Node {
  const indexBytes = new Uint8Array(4)
  new DataView(indexBytes.buffer).setUint32(0, index)
  let data = concatBytes(Uint8Array.of(0), key, indexBytes)
  for (;;) {
    const digest = hmac(sha512, chainCode, data)
    const left = digest.slice(0, 32)
    const right = digest.slice(32)
    if (kind === 'ed25519') return [left, right]
    const sum = addP256(left, key)
    if (sum !== null) return [sum, right]
    // SLIP-0010: "If parse256(I_L) >= n or k_i = 0: I = HMAC-SHA512(c_par, 0x01 || I_R || ser32(i)) and restart".
    data = concatBytes(Uint8Array.of(1), right, indexBytes)
  }
}

/** `left + key mod n`; `null` where SLIP-0010 says to try again. */
function addP256(left: Uint8Array, key: Uint8Array): Uint8Array | null {
  const { Fn } = p256.Point
  const number = BigInt(`0x${bytesToHex(left)}`)
  if (number >= Fn.ORDER) return null
  const sum = Fn.add(number, Fn.fromBytes(key))
  return sum === 0n ? null : Fn.toBytes(sum)
}
