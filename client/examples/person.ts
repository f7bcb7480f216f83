import { makeECPrivateKey, publicKeyToBtcAddress } from '@stacks/encryption'
import { didKeyOf } from '../ucan.ts'
import { publicKeyOf } from '../v1-token.ts'

/** Somebody with a fresh secp256k1 key. */
export interface Person {
  /** 64 hex digits. */
  privateKey: string
  /** `1…`: where this key may write. */
  address: string
  /** `did:key:z…`: how delegations name this key. */
  did: string
}

export function makePerson(): Person {
  // The library appends 01 to a key whose public key is compressed, as all are here.
  const privateKey = makeECPrivateKey().slice(0, 64)
  const publicKey = publicKeyOf(privateKey)
  return { privateKey, address: publicKeyToBtcAddress(publicKey), did: didKeyOf(publicKey) }
}
