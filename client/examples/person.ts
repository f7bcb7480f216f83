import { generateStacksSigner, type StacksSigner } from '../index.ts'

/** Somebody with a fresh secp256k1 key. */
export interface Person {
  signer: StacksSigner
  /** 64 hex digits. */
  privateKey: string
  /** `1…`: where this key may write. */
  address: string
  /** `did:key:z…`: how delegations name this key. */
  did: string
}

export function makePerson(): Person {
  const signer = generateStacksSigner()
  return { signer, privateKey: signer.privateKeyHex, address: signer.address, did: signer.did() }
}
