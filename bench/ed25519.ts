import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { base58 } from '@scure/base'

/** An Ed25519 key pair that signs UCANs. */
export interface Signer {
  readonly did: string
  readonly key: KeyObject
}

export function makeSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { did: `did:key:z${base58.encode(Uint8Array.from([0xed, 0x01, ...raw]))}`, key: privateKey }
}

/** The address that the key owns. */
export function addressOfSigner({ did }: Signer): string {
  return did.slice('did:key:'.length)
}

const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'JWT', ucv: '0.8.1' })).toString('base64url')

/** One for all: no token may outlive its proof. */
const expiration = Math.floor(Date.now() / 1000) + 6 * 3600

let nonce = 0

/** A UCAN 0.8.1 for `gaia/store` on a whole address. Each is another token. */
export function makeUcan(
  issuer: Signer,
  audience: string,
  address: string,
  proofs: readonly string[],
): string {
  const payload = {
    iss: issuer.did,
    aud: audience,
    exp: expiration,
    nnc: String(nonce++),
    att: [{ with: `gaia://${address}/`, can: 'gaia/store' }],
    prf: proofs,
  }
  const input = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
  return `${input}.${sign(null, Buffer.from(input), issuer.key).toString('base64url')}`
}
