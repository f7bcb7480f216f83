import type { AzureDriverOptions } from '../../drivers/azure/index.ts'
import type { GcsDriverOptions } from '../../drivers/gcs/index.ts'
import type { S3DriverOptions } from '../../drivers/s3/options.ts'
import type { Config } from './config/schema.ts'
import { withScheme } from './config/values.ts'

/** What the drivers of cloud storages are given. A key that is not set is left out, so that the SDK's default holds. */

export function s3Options(config: Config): S3DriverOptions {
  const { accessKeyId, secretAccessKey, sessionToken, anonymous } = config.awsCredentials
  const { endpoint, presignEndpoint, region, forcePathStyle } = config.awsCredentials
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? undefined
      : { accessKeyId, secretAccessKey, ...given({ sessionToken }) }
  return {
    ...bucketOf(config),
    ...presigning(config),
    ...given({
      endpoint: endpoint === undefined ? undefined : withScheme(endpoint),
      presignEndpoint: presignEndpoint === undefined ? undefined : withScheme(presignEndpoint),
      region,
      forcePathStyle,
      credentials: anonymous ? ('anonymous' as const) : keys,
    }),
  }
}

export function gcsOptions(config: Config): GcsDriverOptions {
  const { apiEndpoint, projectId, keyFilename, email, credentials } = config.gcCredentials
  const { client_email = email, private_key } = credentials
  const key =
    client_email === undefined || private_key === undefined
      ? undefined
      : { client_email, private_key: withLineBreaks(private_key) }
  const account = given({ apiEndpoint, projectId, keyFilename, credentials: key })
  return { ...bucketOf(config), ...presigning(config), ...account }
}

/** Trying what a storage holds presigned requests to takes time at the start. */
function presigning({ hub, reader }: Config): { presign?: boolean } {
  return hub.directUploadThreshold !== null || reader.redirect === 'presigned' ? { presign: true } : {}
}

/** A key that was put into a variable as it stands in Google's JSON has its line breaks escaped. */
function withLineBreaks(pem: string): string {
  return pem.replaceAll('\\n', '\n')
}

export function azureOptions(config: Config): AzureDriverOptions {
  const { bucket: container, ...start } = bucketOf(config)
  const { connectionString, accountName, accountKey, endpoint } = config.azCredentials
  return { container, ...start, ...given({ connectionString, accountName, accountKey, endpoint }) }
}

function bucketOf({ bucket, createBucket, allowUnsafeConditions }: Config) {
  return { bucket, createBucket, allowUnsafeConditions }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>
}
