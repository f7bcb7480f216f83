import { InvalidInputError } from '../errors.ts'
import { readJwtPayload } from '../jwt.ts'
import type { StacksSigner } from './signer.ts'
import { stacksSigner } from './stacks-signer.ts'

/** What `@stacks/storage` keeps in a user's session as `gaiaHubConfig`; the members that are used here. */
export interface GaiaHubConfig {
  /** The bucket: that of the app key. */
  readonly address: string
  /** The credential that `@stacks/storage` made; only its association token is taken from it. */
  readonly token?: string
  /** The hub's URL. */
  readonly server?: string
}

/** What a Stacks dApp has of a user who is signed in. */
export interface GaiaSession {
  readonly gaiaHubConfig: GaiaHubConfig
  /** `userData.appPrivateKey`. */
  readonly appPrivateKey: string
}

/**
 * The signer of a user of an existing Stacks dApp: `gaiaSigner(userSession.loadUserData())`. The hub to connect to is
 * `gaiaHubConfig.server`.
 * @throws {InvalidInputError} where the key is not that of the configuration's address
 */
export function gaiaSigner({ gaiaHubConfig, appPrivateKey }: GaiaSession): StacksSigner {
  const signer = stacksSigner(appPrivateKey, { associationToken: associationTokenOf(gaiaHubConfig) })
  if (signer.address !== gaiaHubConfig.address) {
    throw new InvalidInputError('the app key is not that of the address in gaiaHubConfig')
  }
  return signer
}

function associationTokenOf({ token = '' }: GaiaHubConfig): string | null {
  const claim = token.startsWith('v1:') ? readJwtPayload(token.slice(3))?.associationToken : null
  return typeof claim === 'string' ? claim : null
}
