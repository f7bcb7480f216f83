import { getPublicKeyFromPrivate, makeECPrivateKey, publicKeyToBtcAddress } from '@stacks/encryption'
import { TokenSigner } from 'jsontokens'
import { serverName } from './servers.ts'

/** A key pair that owns a bucket. */
export interface Owner {
  /** Hex. */
  privateKey: string
  publicKey: string
}

export function makeOwner(): Owner {
  const privateKey = makeECPrivateKey()
  return { privateKey, publicKey: getPublicKeyFromPrivate(privateKey) }
}

export function bucketOf({ publicKey }: Owner): string {
  return publicKeyToBtcAddress(publicKey)
}

let salt = 0

/** A token of its own each time: the salt differs. */
export async function v1Token({ privateKey, publicKey }: Owner): Promise<string> {
  const payload = {
    gaiaChallenge: JSON.stringify(['gaiahub', '0', serverName, 'blockstack_storage_please_sign']),
    iss: publicKey,
    salt: String(salt++),
  }
  return `v1:${await new TokenSigner('ES256K', privateKey).signAsync(payload)}`
}
