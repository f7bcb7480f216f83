import type { Check } from './checks.ts'
import type { Config, Kind } from './schema.ts'
import { withSlash } from './values.ts'

/** Drivers that can hand out no URL of their storage. */
const local: readonly string[] = ['disk', 'memory']

/** What the keys about sending clients to the storage itself cannot say together. */
export function presignChecks({ driver, reader, hub }: Config, kind: Kind): (Check | null)[] {
  if (kind === 'hub' || reader.redirect === 'off') return []
  const keys = ['reader.redirect', 'driver', 'reader.redirectURL']
  const isOwn = kind === 'both' && hub.readURL !== null && isSame(hub.readURL, reader.redirectURL ?? '')
  if (reader.redirect === 'public') {
    const problem =
      reader.redirectURL === null
        ? 'goes with reader.redirectURL, the address of the public bucket, which is not set'
        : isOwn
          ? 'would lead to itself: reader.redirectURL is the hub.readURL'
          : null
    return problem === null ? [] : [{ keys, value: reader.redirect, problem }]
  }
  if (!local.includes(driver)) return []
  const problem = `needs a storage to which clients can be sent; the driver is ${driver}`
  return [{ keys, value: reader.redirect, problem }]
}

export function presignWarnings({ driver, reader, hub, azCredentials }: Config, kind: Kind): string[] {
  const warnings: string[] = []
  if (kind !== 'reader' && hub.directUploadThreshold !== null && [...local, 'azure'].includes(driver)) {
    warnings.push(
      `not used: hub.directUploadThreshold (the driver ${driver} cannot hold an upload to what was allowed)`,
    )
  }
  if (kind !== 'hub' && reader.redirectURL !== null && reader.redirect !== 'public') {
    warnings.push(`not used: reader.redirectURL (reader.redirect is ${JSON.stringify(reader.redirect)})`)
  }
  const hasKey = azCredentials.accountKey !== undefined || azCredentials.connectionString !== undefined
  if (kind !== 'hub' && reader.redirect === 'presigned' && driver === 'azure' && !hasKey) {
    warnings.push('reader.redirect is "presigned", which needs the key of the Azure account')
  }
  return warnings
}

function isSame(one: string, other: string): boolean {
  return withSlash(one) === withSlash(other)
}
