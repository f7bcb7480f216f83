import { type Address, decodePath, fileKey, type Key, KeyError, parseAddress } from '../drivers/key.ts'
import { rawPath } from '../http/raw-path.ts'

export interface Target {
  readonly address: Address
  readonly key: Key
}

/**
 * The file that a request target names; `null` for what cannot name one. Works on the encoded text, so that it
 * is decoded once; the address may hold no escapes, and so `<address>-auth` matches in no encoding.
 */
export function parseTarget(url: string, prefix: string): Target | null {
  const path = rawPath(url)
  if (!path.startsWith(prefix)) return null
  const slash = path.indexOf('/', prefix.length)
  if (slash === -1) return null
  try {
    const address = parseAddress(path.slice(prefix.length, slash))
    return { address, key: fileKey(address, decodePath(path.slice(slash + 1))) }
  } catch (error) {
    if (error instanceof KeyError) return null
    throw error
  }
}
