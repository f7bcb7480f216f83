import type { Config } from './config/schema.ts'
import { isBuiltDriver, withScheme } from './config/values.ts'

/** The storage in a few words. */
export function storeText({ driver, bucket }: Config): string {
  if (!isBuiltDriver(driver)) return `driver ${driver}`
  return `${driver === 'azure' ? 'container' : 'bucket'} ${bucket}`
}

/** Where the service is, `null` where that is its usual place; never the signature that an endpoint may end in. */
export function storePlace({ driver, awsCredentials, gcCredentials, azCredentials }: Config): string | null {
  switch (driver) {
    case 's3':
      return awsCredentials.endpoint === undefined ? null : withoutQuery(withScheme(awsCredentials.endpoint))
    case 'gcs':
      return gcCredentials.apiEndpoint === undefined ? null : withoutQuery(gcCredentials.apiEndpoint)
    case 'azure':
      if (azCredentials.endpoint !== undefined) return withoutQuery(azCredentials.endpoint)
      return azCredentials.accountName ?? 'the account of connectionString'
    default:
      return null
  }
}

function withoutQuery(text: string): string {
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}
