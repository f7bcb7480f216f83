import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { base58 } from '@scure/base'

/** Of Ed25519 and of P-256 keys. */
export type Algorithm = 'EdDSA' | 'ES256'

/** A key pair that signs UCANs. */
export interface Signer {
  readonly algorithm: Algorithm
  readonly did: string
  readonly key: KeyObject
}

export function makeSigner(algorithm: Algorithm = 'EdDSA'): Signer {
  const { privateKey, publicKey } =
    algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { algorithm, did: `did:key:z${base58.encode(multikey(algorithm, publicKey))}`, key: privateKey }
}

/** The public key behind the number of its kind in the table of multicodec, the curve's point compressed. */
function multikey(algorithm: Algorithm, publicKey: KeyObject): Uint8Array {
  const der = publicKey.export({ format: 'der', type: 'spki' })
  if (algorithm === 'EdDSA') return Uint8Array.from([0xed, 0x01, ...der.subarray(-32)])
  const [x, y] = [der.subarray(-64, -32), der.subarray(-32)]
  return Uint8Array.from([0x80, 0x24, 2 + ((y.at(-1) ?? 0) & 1), ...x])
}

/** The address that the key owns. */
export function addressOfSigner({ did }: Signer): string {
  return did.slice('did:key:'.length)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** One for all: no token may outlive its proof. */
const expiration = Math.floor(Date.now() / 1000) + 6 * 3600

let nonce = 0

/**
 * A UCAN for `gaia/store` on a whole address. Each is another token.
 * @param proofs tokens in 0.8.1, CIDs of such in 0.9.1
 */
export function makeUcan(
  issuer: Signer,
  audience: string,
  address: string,
  proofs: readonly string[],
  version: '0.8.1' | '0.9.1' = '0.8.1',
): string {
  const payload = {
    iss: issuer.did,
    aud: audience,
    exp: expiration,
    nnc: String(nonce++),
    att: [{ with: `gaia://${address}/`, can: 'gaia/store' }],
    prf: proofs,
  }
  const { algorithm, key } = issuer
  const input = `${encode({ alg: algorithm, typ: 'JWT', ucv: version })}.${encode(payload)}`
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
