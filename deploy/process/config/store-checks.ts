import type { Check } from './checks.ts'
import type { Config } from './schema.ts'
import { isBuiltDriver } from './values.ts'

/** What the keys of one cloud storage cannot say together. Those of storages that are not used are not judged. */
export function storeChecks(config: Config): (Check | null)[] {
  switch (config.driver) {
    case 's3':
      return s3Checks(config)
    case 'gcs':
      return gcsChecks(config)
    case 'azure':
      return azureChecks(config)
    default:
      return []
  }
}

export function storeWarnings(config: Config): string[] {
  const { driver, driverSettings } = config
  const isIdle = isBuiltDriver(driver) && Object.keys(driverSettings).length > 0
  return [
    ...(isIdle ? [`not used: driverSettings (the driver ${driver} has settings of its own)`] : []),
    ...gcsWarnings(config),
  ]
}

function gcsWarnings({ driver, gcCredentials: { email, credentials } }: Config): string[] {
  const isUsed = credentials.private_key !== undefined && credentials.client_email === undefined
  if (driver !== 'gcs' || email === undefined || isUsed) return []
  return [
    'not used: gcCredentials.email (it only stands in for gcCredentials.credentials.client_email beside a private_key)',
  ]
}

type Values = Readonly<Record<string, unknown>>

/** Half of a key, taken for none, would have the SDK look for another identity on the machine. */
function needs(section: string, values: Values, name: string, needed: string): Check | null {
  if (values[name] === undefined || values[needed] !== undefined) return null
  return {
    keys: [`${section}.${name}`, `${section}.${needed}`],
    value: values[name],
    problem: `goes with ${section}.${needed}, which is not set`,
  }
}

function excludes(section: string, values: Values, name: string, others: readonly string[]): Check | null {
  const other = others.find((candidate) => values[candidate] !== undefined)
  if (values[name] === undefined || other === undefined) return null
  return {
    keys: [`${section}.${name}`, `${section}.${other}`],
    value: values[name],
    problem: `goes without ${section}.${other}: set one of them`,
  }
}

function s3Checks({ awsCredentials }: Config): (Check | null)[] {
  const { anonymous, ...rest } = awsCredentials
  const values = { ...rest, anonymous: anonymous || undefined }
  return [
    needs('awsCredentials', values, 'accessKeyId', 'secretAccessKey'),
    needs('awsCredentials', values, 'secretAccessKey', 'accessKeyId'),
    needs('awsCredentials', values, 'sessionToken', 'accessKeyId'),
    excludes('awsCredentials', values, 'anonymous', ['accessKeyId', 'secretAccessKey', 'sessionToken']),
  ]
}

function gcsChecks({ gcCredentials: { email, keyFilename, credentials } }: Config): (Check | null)[] {
  const section = 'gcCredentials.credentials'
  const { client_email = email, private_key } = credentials
  return [
    needs(section, { client_email, private_key }, 'private_key', 'client_email'),
    needs(section, credentials, 'client_email', 'private_key'),
    excludes('gcCredentials', { keyFilename, 'credentials.private_key': private_key }, 'keyFilename', [
      'credentials.private_key',
    ]),
  ]
}

function azureChecks({ driver, azCredentials }: Config): (Check | null)[] {
  const { connectionString, accountName, endpoint } = azCredentials
  const isNowhere = [connectionString, accountName, endpoint].every((value) => value === undefined)
  return [
    excludes('azCredentials', azCredentials, 'connectionString', ['accountName', 'accountKey', 'endpoint']),
    needs('azCredentials', azCredentials, 'accountKey', 'accountName'),
    isNowhere
      ? {
          keys: [
            'driver',
            'azCredentials.connectionString',
            'azCredentials.accountName',
            'azCredentials.endpoint',
          ],
          value: driver,
          problem:
            'needs one of azCredentials.connectionString, azCredentials.accountName, azCredentials.endpoint',
        }
      : null,
  ]
}
