import { createHash, randomBytes } from 'node:crypto'
import { publicKeyToBtcAddress } from '@stacks/encryption'
import secp256k1 from 'secp256k1'
import { serverName } from './servers.ts'

/** A key pair that owns a bucket. */
export interface Owner {
  privateKey: Uint8Array
  /** Compressed, in hex. */
  publicKey: string
}

export function makeOwner(): Owner {
  const privateKey = randomBytes(32)
  return { privateKey, publicKey: Buffer.from(secp256k1.publicKeyCreate(privateKey)).toString('hex') }
}

export function bucketOf({ publicKey }: Owner): string {
  return publicKeyToBtcAddress(publicKey)
}

const header = Buffer.from(JSON.stringify({ alg: 'ES256K', typ: 'JWT' })).toString('base64url')

let salt = 0

/** Another token each time, as a Gaia client signs it; by the native library, since a run needs tens of thousands. */
export function v1Token({ privateKey, publicKey }: Owner): string {
  const payload = {
    gaiaChallenge: JSON.stringify(['gaiahub', '0', serverName, 'blockstack_storage_please_sign']),
    iss: publicKey,
    salt: String(salt++),
  }
  const input = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
  const digest = createHash('sha256').update(input).digest()
  return `v1:${input}.${Buffer.from(secp256k1.ecdsaSign(digest, privateKey).signature).toString('base64url')}`
}
