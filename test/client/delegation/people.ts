import { createHash } from 'node:crypto'
import { addressOfDid } from '../../../client/did.ts'
import type { Signer } from '../../../client/signers/signer.ts'
import { stacksSigner } from '../../../client/signers/stacks-signer.ts'
import { generateSigner } from '../../../client/signers/web-crypto-signer.ts'
import type { KeyKind } from '../../../hub/auth/keys.ts'

/** Somebody with a key of the client's own. */
export interface Somebody {
  readonly signer: Signer
  readonly did: string
  /** The bucket that the key owns. */
  readonly address: string
}

/** A fresh key: P-256 and Ed25519 keys are WebCrypto's and not extractable. */
export async function somebody(kind: KeyKind = 'secp256k1'): Promise<Somebody> {
  return whoSigns(
    kind === 'secp256k1' ? stacksSigner(randomHex()) : await generateSigner(kind, { extractable: false }),
  )
}

export async function whoSigns(signer: Signer): Promise<Somebody> {
  const did = await signer.did()
  return { signer, did, address: addressOfDid(did) }
}

let count = 0

/** A key of its own for each call of a run. */
function randomHex(): string {
  count += 1
  return createHash('sha256').update(`${process.pid} ${Date.now()} ${count}`).digest('hex')
}
