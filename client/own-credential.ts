import { InvalidInputError, type MandateError } from './errors.ts'
import { gaiaResource, signUcan } from './sign-ucan.ts'
import type { CredentialContext, CredentialSource, Need } from './transport/transport.ts'
import { signV1Token } from './v1-credential.ts'

/** How long a credential is valid: long enough for clocks that differ, and for the upload of a large file. */
const lifetimeSeconds = 3_600

/** How many credentials are remembered; they differ by what they allow. */
const maxRemembered = 32

interface Remembered {
  authorization: string
  /** Milliseconds since 1970, after which a new one is made. */
  renewAtMs: number
}

/**
 * The signer's own credential, without any delegation: for its own bucket, or for another's where a deposited grant
 * decides. A v1 token of a secp256k1 key, an invocation of any other; remembered until half of its life is over.
 */
export function ownCredentials(context: CredentialContext): CredentialSource {
  const remembered = new Map<string, Remembered>()

  async function authorization(needs: readonly Need[], fresh: boolean): Promise<string> {
    const key = JSON.stringify(context.signer.jwtAlg === 'ES256K' ? archived(needs) : needs.map(textOf))
    const known = remembered.get(key)
    if (!fresh && known !== undefined && known.renewAtMs > context.now()) return known.authorization
    const made = await makeCredential(context, needs)
    if (remembered.size >= maxRemembered) remembered.delete([...remembered.keys()][0] ?? '')
    remembered.set(key, { authorization: made, renewAtMs: context.now() + lifetimeSeconds * 500 })
    return made
  }

  return {
    async headers(needs, { fresh = false } = {}) {
      return { Authorization: `Bearer ${await authorization(needs, fresh)}` }
    },
    refused(error) {
      const hadSome = remembered.size > 0
      remembered.clear()
      return hadSome && isOutdated(error)
    },
    forget: () => remembered.clear(),
  }
}

/** What a credential says of a need: nothing of its size and type. */
function textOf({ ability, path }: Need): string {
  return `${ability} ${path}`
}

/** What a newer credential of the same key would cure. */
function isOutdated(error: MandateError): boolean {
  return ['token-too-old', 'expired', 'revoked', 'time-bounds'].includes(error.code)
}

async function makeCredential(context: CredentialContext, needs: readonly Need[]): Promise<string> {
  const { signer, address, hub, hubUrl } = context
  const issuedAt = context.issueTime()
  if (signer.jwtAlg === 'ES256K') {
    const { challengeText } = hub
    const scopes = archivalScopes(needs)
    return signV1Token(signer, { challengeText, hubUrl, issuedAt, lifetimeSeconds, scopes })
  }
  if (hub.did === null) {
    throw new InvalidInputError('this hub takes secp256k1 keys only: it knows nothing of UCAN')
  }
  const jwt = await signUcan(signer, {
    audience: hub.did,
    capabilities: needs.map(({ ability, path }) => ({
      with: gaiaResource(address, nameable(path)),
      can: ability,
    })),
    issuedAt,
    expiration: issuedAt + lifetimeSeconds,
  })
  return `ucan:${jwt}`
}

/** A capability cannot name a path with a percent sign (PROTOCOL 2.1), so its folder is named. */
function nameable(path: string): string {
  const percent = path.indexOf('%')
  return percent === -1 ? path : path.slice(0, path.lastIndexOf('/', percent) + 1)
}

/** A token that is to keep history may do nothing else: an unscoped one would write plainly. */
function archivalScopes(needs: readonly Need[]): { scope: string; domain: string }[] | null {
  const paths = archived(needs)
  return paths.length === 0 ? null : paths.map((path) => ({ scope: 'putFileArchival', domain: path }))
}

function archived(needs: readonly Need[]): string[] {
  return needs.filter(({ ability }) => ability === 'gaia/archive').map(({ path }) => path)
}
