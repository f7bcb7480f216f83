/**
 * Which environment variable and which flag set which key. A key is named as it may stand at the top of a file,
 * so `port` is the port of the one server that runs. The `GAIA_…` names are Gaia's; keys that Gaia has no
 * variable for have a `MANDATE_…` one.
 */
export interface SourceRow {
  key: string
  env: string
  /** As commander takes it. */
  flag?: string
  /** Which commands have the flag; all without it. */
  only?: 'hub' | 'reader' | 'both'
}

export const sourceRows: readonly SourceRow[] = [
  { key: 'host', env: 'MANDATE_HOST', flag: '--host <address>' },
  { key: 'port', env: 'GAIA_PORT', flag: '--port <number>' },
  { key: 'reader.port', env: 'MANDATE_READER_PORT', flag: '--reader-port <number>', only: 'both' },
  { key: 'workers', env: 'MANDATE_WORKERS', flag: '--workers <number|auto>' },
  { key: 'metrics.enabled', env: 'MANDATE_METRICS_ENABLED' },
  { key: 'metrics.host', env: 'MANDATE_METRICS_HOST' },
  { key: 'metrics.port', env: 'MANDATE_METRICS_PORT' },
  { key: 'enableHttps', env: 'GAIA_ENABLE_HTTPS' },
  { key: 'httpsPort', env: 'GAIA_HTTPS_PORT' },
  { key: 'reader.httpsPort', env: 'MANDATE_READER_HTTPS_PORT' },
  { key: 'tlsCertConfig.certFile', env: 'GAIA_TLS_CERT_CONFIG_CERT_FILE' },
  { key: 'tlsCertConfig.keyFile', env: 'GAIA_TLS_CERT_CONFIG_KEY_FILE' },
  { key: 'tlsCertConfig.keyPassphrase', env: 'GAIA_TLS_CERT_CONFIG_KEY_PASSPHRASE' },
  { key: 'tlsCertConfig.pfxFile', env: 'GAIA_TLS_CERT_CONFIG_PFX_FILE' },
  { key: 'tlsCertConfig.pfxPassphrase', env: 'GAIA_TLS_CERT_CONFIG_PFX_PASSPHRASE' },
  { key: 'plainHttp', env: 'MANDATE_PLAIN_HTTP' },
  { key: 'hsts', env: 'MANDATE_HSTS' },
  { key: 'driver', env: 'GAIA_DRIVER', flag: '--driver <name>' },
  { key: 'diskSettings.storageRootDirectory', env: 'GAIA_DISK_STORAGE_ROOT_DIR', flag: '--data <folder>' },
  { key: 'diskSettings.durability', env: 'MANDATE_DURABILITY', flag: '--durability <fsync|none>' },
  { key: 'driverSettings', env: 'MANDATE_DRIVER_SETTINGS' },
  { key: 'bucket', env: 'GAIA_BUCKET_NAME', flag: '--bucket <name>' },
  { key: 'createBucket', env: 'MANDATE_CREATE_BUCKET' },
  { key: 'allowUnsafeConditions', env: 'MANDATE_ALLOW_UNSAFE_CONDITIONS' },
  { key: 'serverName', env: 'GAIA_SERVER_NAME', flag: '--server-name <host>', only: 'hub' },
  { key: 'readURL', env: 'GAIA_READ_URL', flag: '--read-url <url>', only: 'hub' },
  {
    key: 'maxFileUploadSize',
    env: 'MANDATE_MAX_FILE_UPLOAD_SIZE',
    flag: '--max-file-upload-size <megabytes>',
    only: 'hub',
  },
  { key: 'pageSize', env: 'GAIA_PAGE_SIZE' },
  { key: 'cacheControl', env: 'GAIA_CACHE_CONTROL' },
  { key: 'whitelist', env: 'GAIA_WHITELIST' },
  { key: 'requireCorrectHubUrl', env: 'GAIA_REQUIRE_CORRECT_HUB_URL' },
  { key: 'validHubUrls', env: 'GAIA_VALID_HUB_URLS' },
  { key: 'proofsConfig.proofsRequired', env: 'MANDATE_PROOFS_REQUIRED' },
  { key: 'authTimestampCacheSize', env: 'MANDATE_AUTH_TIMESTAMP_CACHE_SIZE' },
  { key: 'revocationMaxAge', env: 'MANDATE_REVOCATION_MAX_AGE' },
  { key: 'maxInvocationLifetime', env: 'MANDATE_MAX_INVOCATION_LIFETIME' },
  { key: 'directUploadThreshold', env: 'MANDATE_DIRECT_UPLOAD_THRESHOLD' },
  { key: 'directUploadLifetime', env: 'MANDATE_DIRECT_UPLOAD_LIFETIME' },
  { key: 'redirect', env: 'MANDATE_READER_REDIRECT' },
  { key: 'redirectURL', env: 'MANDATE_READER_REDIRECT_URL' },
  { key: 'redirectThreshold', env: 'MANDATE_READER_REDIRECT_THRESHOLD' },
  { key: 'timeouts.headersTimeout', env: 'MANDATE_HEADERS_TIMEOUT' },
  { key: 'timeouts.requestTimeout', env: 'MANDATE_REQUEST_TIMEOUT' },
  { key: 'timeouts.idleTimeout', env: 'MANDATE_IDLE_TIMEOUT' },
  { key: 'timeouts.graceTimeout', env: 'MANDATE_GRACE_TIMEOUT' },
  { key: 'limits.maxSocketsPerPeer', env: 'MANDATE_MAX_SOCKETS_PER_PEER' },
  { key: 'limits.maxRequests', env: 'MANDATE_MAX_REQUESTS' },
  { key: 'limits.maxRequestsAtWork', env: 'MANDATE_MAX_REQUESTS_AT_WORK' },
  { key: 'limits.peerRequestsPerMinute', env: 'MANDATE_PEER_REQUESTS_PER_MINUTE' },
  { key: 'limits.addressRequestsPerMinute', env: 'MANDATE_ADDRESS_REQUESTS_PER_MINUTE' },
  { key: 'limits.trustedProxies', env: 'MANDATE_TRUSTED_PROXIES' },
  { key: 'logLevel', env: 'MANDATE_LOG_LEVEL', flag: '--log-level <level>' },
  { key: 'awsCredentials.accessKeyId', env: 'GAIA_S3_ACCESS_KEY_ID' },
  { key: 'awsCredentials.secretAccessKey', env: 'GAIA_S3_SECRET_ACCESS_KEY' },
  { key: 'awsCredentials.sessionToken', env: 'GAIA_S3_SESSION_TOKEN' },
  { key: 'awsCredentials.endpoint', env: 'MANDATE_S3_ENDPOINT' },
  { key: 'awsCredentials.region', env: 'MANDATE_S3_REGION' },
  { key: 'awsCredentials.presignEndpoint', env: 'MANDATE_S3_PRESIGN_ENDPOINT' },
  { key: 'awsCredentials.forcePathStyle', env: 'MANDATE_S3_FORCE_PATH_STYLE' },
  { key: 'awsCredentials.anonymous', env: 'MANDATE_S3_ANONYMOUS' },
  { key: 'gcCredentials.email', env: 'GAIA_GCP_EMAIL' },
  { key: 'gcCredentials.projectId', env: 'GAIA_GCP_PROJECT_ID' },
  { key: 'gcCredentials.keyFilename', env: 'GAIA_GCP_KEY_FILENAME' },
  { key: 'gcCredentials.apiEndpoint', env: 'MANDATE_GCP_API_ENDPOINT' },
  { key: 'gcCredentials.credentials.client_email', env: 'GAIA_GCP_CLIENT_EMAIL' },
  { key: 'gcCredentials.credentials.private_key', env: 'GAIA_GCP_CLIENT_PRIVATE_KEY' },
  { key: 'azCredentials.accountName', env: 'GAIA_AZURE_ACCOUNT_NAME' },
  { key: 'azCredentials.accountKey', env: 'GAIA_AZURE_ACCOUNT_KEY' },
  { key: 'azCredentials.connectionString', env: 'MANDATE_AZURE_CONNECTION_STRING' },
  { key: 'azCredentials.endpoint', env: 'MANDATE_AZURE_ENDPOINT' },
]

/** The long name in a flag: `--data <folder>` → `--data`. */
export function flagName(flag: string): string {
  return flag.split(' ')[0] ?? flag
}

/** The rows whose flags a command has. `both` has those of hub and reader. */
export function rowsWithFlags(kind: 'hub' | 'reader' | 'both'): (SourceRow & { flag: string })[] {
  return sourceRows.filter((row): row is SourceRow & { flag: string } => {
    if (row.flag === undefined) return false
    return row.only === undefined || row.only === kind || (kind === 'both' && row.only === 'hub')
  })
}
