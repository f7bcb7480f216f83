import { isIP } from 'node:net'
import * as z from 'zod'
import { isIpRange } from '../../../http/peer.ts'
import { isP2pkhAddress, publicKeyFromDid } from '../../../hub/auth/keys.ts'

/** Values that a type and a range do not describe. `allowed` ends a message: "… must be <allowed>". */

function text(allowed: string, test: (value: string) => boolean) {
  return z.string().refine(test, { error: allowed }).meta({ allowed })
}

/** The drivers that are part of this package. */
export const builtDrivers = ['disk', 'memory', 's3', 'gcs', 'azure'] as const
export type BuiltDriver = (typeof builtDrivers)[number]

/** A package may be named with a module in it; a path is told from it by how it begins. */
const packageName = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(\/[\w.~-]+)*$/i

export const driverName = text(
  `one of ${builtDrivers.map((name) => JSON.stringify(name)).join(', ')} (Gaia's "aws" and "google-cloud" are taken as well), the name of a package, or a path that begins with "./", "../" or "/"`,
  (value) => isBuiltDriver(value) || isPathOfDriver(value) || packageName.test(value),
)

export function isBuiltDriver(name: string): name is BuiltDriver {
  return builtDrivers.some((built) => built === name)
}

/** Whether a driver is named by the place of its module. */
export function isPathOfDriver(name: string): boolean {
  return /^\.{0,2}\/./.test(name)
}

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/i

export const host = text(
  'an IP address or a host name, without a port',
  (value) => isIP(value) !== 0 || hostName.test(value),
)

/** Becomes `https://<serverName>` and `did:web:<serverName>`, so nothing but a host and a port can stand here. */
export const serverName = text('a host name, with a port or without, and no "https://"', (value) => {
  const [name = '', port, ...rest] = value.split(':')
  return hostName.test(name) && (port === undefined || isPort(port)) && rest.length === 0
})

function isPort(digits: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(digits) && Number(digits) <= 65_535
}

/** What RFC 9110 5.5 lets stand in a header; anything else would make every answer fail. */
export const cacheControl = text('a Cache-Control value of 1 to 256 printable ASCII characters', (value) =>
  /^[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(value),
)

/** An http(s) URL that a path can be added to: no user, query or fragment. */
function baseUrl(value: string): URL | null {
  if (!URL.canParse(value) || /[?#\s\\]/.test(value) || !/^https?:\/\//i.test(value)) return null
  const url = new URL(value)
  return url.username === '' && url.password === '' ? url : null
}

export const hubUrl = text('an absolute http or https URL', (value) => baseUrl(value) !== null)

/** Where a storage service is; its query may be a signature. */
export const storageUrl = text('an absolute http or https URL without user', isStorageUrl)

/** Gaia's version of the SDK took a bare host name; see {@link withScheme}. */
export const storageUrlOrHost = text('an absolute http or https URL without user, or a host name', (value) =>
  isStorageUrl(withScheme(value)),
)

function isStorageUrl(value: string): boolean {
  if (!URL.canParse(value) || !/^https?:\/\/[^\s\\]+$/i.test(value)) return false
  const url = new URL(value)
  return url.username === '' && url.password === '' && url.hash === ''
}

export function withScheme(urlOrHost: string): string {
  return urlOrHost.includes('://') ? urlOrHost : `https://${urlOrHost}`
}

/** Where clients look for an address in a URL (PROTOCOL 1.2): the first match must be the owner's. */
const addressInUrl = /([13][a-km-zA-HJ-NP-Z0-9]{26,35})\//

export const readUrl = z
  .string()
  .refine((value) => baseUrl(value) !== null, {
    error: 'an absolute http or https URL without user, query or fragment',
    abort: true,
  })
  .refine((value) => !addressInUrl.test(withSlash(value)), {
    error: "a URL in which nothing looks like an owner's address: clients would take it for one",
  })
  .meta({ allowed: 'an absolute http or https URL' })

/** Clients append `<address>/<path>` to it as it stands. */
export function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

export const ipRange = text('an IP address, or a range like 10.0.0.0/8', isIpRange)

export const whitelistEntry = text('an address (1…, or the identifier of a did:key: z…)', isAddress)

function isAddress(value: string): boolean {
  if (isP2pkhAddress(value)) return true
  try {
    return publicKeyFromDid(`did:key:${value}`).did === `did:key:${value}`
  } catch {
    return false
  }
}
