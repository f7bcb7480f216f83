import type { Ability, Capability, Reach } from './capability.ts'
import { refuseCredential } from './refusal.ts'

/** The most scopes that a token may carry (PROTOCOL 1.4). */
export const maxScopes = 8

const scopeKinds: Readonly<Record<string, { ability: Ability; kind: Reach['kind'] }>> = {
  putFile: { ability: 'gaia/store', kind: 'file' },
  putFilePrefix: { ability: 'gaia/store', kind: 'prefix' },
  deleteFile: { ability: 'gaia/delete', kind: 'file' },
  deleteFilePrefix: { ability: 'gaia/delete', kind: 'prefix' },
  putFileArchival: { ability: 'gaia/archive', kind: 'file' },
  putFileArchivalPrefix: { ability: 'gaia/archive', kind: 'prefix' },
}

/**
 * Gaia's scopes as capabilities of the address, or `null` for a token without scopes. An empty list is a list:
 * it names nothing and so allows no write. Listing stays allowed to every scoped token.
 * @param scopes the claim as it stands in the token
 * @throws {WireError} `unauthorized` for anything but a list of up to 8 known scopes
 */
export function scopeCapabilities(scopes: unknown, address: string): Capability[] | null {
  if (scopes === undefined || scopes === null) return null
  if (!Array.isArray(scopes)) throw refuseCredential('the "scopes" of the token must be a list', 'malformed')
  if (scopes.length > maxScopes) {
    throw refuseCredential(`the token has more than ${maxScopes} scopes`, 'malformed')
  }
  const listing: Capability = {
    address,
    ability: 'gaia/list',
    reach: { kind: 'below', path: '' },
    caveats: {},
  }
  return [...scopes.map((entry) => scopeCapability(entry, address)), listing]
}

function scopeCapability(entry: unknown, address: string): Capability {
  const { scope, domain } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
    string,
    unknown
  >
  const known = typeof scope === 'string' && Object.hasOwn(scopeKinds, scope) ? scopeKinds[scope] : undefined
  if (known === undefined) {
    throw refuseCredential(
      `each of the "scopes" needs a "scope" of ${Object.keys(scopeKinds).join(', ')}`,
      'malformed',
    )
  }
  if (typeof domain !== 'string') {
    throw refuseCredential('each of the "scopes" needs a "domain", a path or prefix', 'malformed')
  }
  return { address, ability: known.ability, reach: { kind: known.kind, path: domain }, caveats: {} }
}
