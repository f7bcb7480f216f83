import * as z from 'zod'
import {
  cacheControl,
  driverName,
  host,
  hubUrl,
  ipRange,
  readUrl,
  serverName,
  storageUrl,
  storageUrlOrHost,
  whitelistEntry,
} from './values.ts'

/**
 * Every key of the configuration, with its default, its range and what it is for: `--help`, the messages about
 * faults and the reading of environment variables all come from here.
 *
 * `allowed` says in words what a value may be, where the type and range alone do not tell.
 */

const secret = { secret: true }

const diskSettings = z.strictObject({
  storageRootDirectory: z
    .string()
    .default('./data')
    .describe('folder that holds the files, in the layout of Gaia; relative to the working folder'),
  durability: z
    .enum(['fsync', 'none'])
    .default('fsync')
    .describe(
      '"fsync": an accepted write survives a power cut; "none": faster, it survives a crash of the process',
    ),
})

const awsCredentials = z.strictObject({
  accessKeyId: z.string().optional().describe('access key of S3'),
  secretAccessKey: z
    .string()
    .optional()
    .meta({ description: 'secret key of S3', ...secret }),
  sessionToken: z
    .string()
    .optional()
    .meta({ description: 'session token of S3', ...secret }),
  endpoint: storageUrlOrHost.optional().describe('S3 endpoint other than that of AWS'),
  region: z
    .string()
    .optional()
    .describe(
      'region of the bucket; by default what the environment tells the AWS SDK, or "us-east-1" with an endpoint',
    ),
  presignEndpoint: storageUrlOrHost
    .optional()
    .describe('S3 endpoint as clients reach it, where that is another: presigned URLs lead there'),
  forcePathStyle: z
    .boolean()
    .optional()
    .describe('bucket in the path and not in the host name; by default where an endpoint is set'),
  anonymous: z.boolean().default(false).describe('sign no request to S3: for buckets that are open to all'),
})

const gcCredentials = z.strictObject({
  email: z.string().optional().describe('service account of Google Cloud Storage'),
  projectId: z.string().optional().describe('project of Google Cloud Storage'),
  keyFilename: z.string().optional().describe('key file of Google Cloud Storage'),
  apiEndpoint: storageUrl.optional().describe('server other than that of Google Cloud Storage: an emulator'),
  credentials: z
    .strictObject({
      client_email: z.string().optional().describe('client e-mail of the Google key'),
      private_key: z
        .string()
        .optional()
        .meta({ description: 'private part of the Google key', ...secret }),
    })
    .prefault({}),
})

const azCredentials = z.strictObject({
  accountName: z.string().optional().describe('storage account of Azure'),
  accountKey: z
    .string()
    .optional()
    .meta({ description: 'key of the storage account of Azure', ...secret }),
  connectionString: z
    .string()
    .optional()
    .meta({
      description: 'connection string of Azure, instead of accountName, accountKey and endpoint',
      ...secret,
    }),
  // It may end in a signature that lets everybody in.
  endpoint: storageUrl.optional().meta({
    description:
      'blob endpoint of Azure other than that of the account; may end in a shared access signature',
    ...secret,
  }),
})

const seconds = (most: number) => z.int().min(1).max(most)

const timeouts = z.strictObject({
  headersTimeout: seconds(300)
    .default(15)
    .describe('seconds within which the headers of a request must arrive'),
  requestTimeout: seconds(86_400)
    .default(3600)
    .describe('seconds within which a whole request must arrive, the file that it uploads included'),
  idleTimeout: seconds(600).default(30).describe('seconds that an upload may stand still'),
  graceTimeout: seconds(300)
    .default(30)
    .describe('seconds that requests under way get to finish when stopping'),
})

const rate = z.int().min(0).max(100_000_000).default(0)

const limits = z.strictObject({
  maxSocketsPerPeer: z
    .int()
    .min(0)
    .max(100_000)
    .default(512)
    .describe('open connections that one network address may hold; 0: no bound (behind a proxy)'),
  maxRequests: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .describe('requests under way in one process; further ones are answered 503; 0: no bound, and no turns'),
  maxRequestsAtWork: z
    .int()
    .min(1)
    .max(100_000)
    .default(128)
    .describe('of these, those worked on at the same time; the others wait for their turn'),
  peerRequestsPerMinute: rate.describe(
    'requests that one network address may make within a minute at the hub, and as many at the reader; further ones are answered 429; 0: any number',
  ),
  addressRequestsPerMinute: rate.describe(
    'requests within a minute that the owner of an address may make at the hub, and as many all of its writers; revocations count apart, those of the owner not at all; 0: any number',
  ),
  trustedProxies: z.array(ipRange).default([]).meta({
    description:
      'proxies whose X-Forwarded-For says whom a request comes from, and whose connections are not bounded',
    allowed: 'a list of IP addresses and ranges (10.0.0.0/8)',
  }),
})

const port = z.int().min(0).max(65_535)

const metrics = z.strictObject({
  enabled: z.boolean().default(true).describe('serve metrics for Prometheus at a port of their own'),
  host: host.default('127.0.0.1').describe('network address at which the metrics are served'),
  port: port
    .nullable()
    .default(null)
    .describe('port of the metrics; 0: any free one; without it 9464, or none where that is taken'),
})

const tlsCertConfig = z.strictObject({
  certFile: z.string().optional().describe('certificate in PEM, those of its issuers behind it'),
  keyFile: z.string().optional().describe('private key of the certificate, in PEM'),
  keyPassphrase: z
    .string()
    .optional()
    .meta({ description: 'passphrase of the private key', ...secret }),
  pfxFile: z.string().optional().describe('certificate and key in one PKCS #12 file, instead of the two'),
  pfxPassphrase: z
    .string()
    .optional()
    .meta({ description: 'passphrase of the PKCS #12 file', ...secret }),
})

const listen = { host: host.default('0.0.0.0').describe('network address to listen at') }

const caching = {
  cacheControl: cacheControl.default('no-cache').describe('Cache-Control of the files that are read'),
}

export const hubSchema = z.strictObject({
  ...listen,
  port: port.default(3000).describe('port of the hub; 0: any free one'),
  httpsPort: port
    .default(443)
    .describe('port of the hub for HTTPS, where enableHttps is set; 0: any free one'),
  ...caching,
  serverName: serverName
    .default('gaia-0')
    .describe('public host name of the hub; part of the text that clients sign'),
  readURL: readUrl
    .nullable()
    .default(null)
    .describe('address under which the files are read; by default that of the reader on this machine'),
  pageSize: z.int().min(1).max(4096).default(100).describe('names on one page of list-files'),
  maxFileUploadSize: z
    .number()
    .gt(0)
    .max(1_048_576)
    .default(20)
    .describe('largest file, in megabytes of 1,048,576 bytes'),
  whitelist: z.array(whitelistEntry).nullable().default(null).meta({
    description: 'addresses that may write here; without it anyone may',
    allowed: 'a list of addresses (1…, or the identifier of a did:key: z…)',
  }),
  requireCorrectHubUrl: z
    .boolean()
    .default(false)
    .describe('refuse tokens that were not made for this hub (https://<serverName> or one of validHubUrls)'),
  validHubUrls: z.array(hubUrl).default([]).meta({
    description: 'further addresses of this hub that a token may name',
    allowed: 'a list of absolute http or https URLs',
  }),
  proofsConfig: z
    .strictObject({
      proofsRequired: z
        .int()
        .min(0)
        .max(100)
        .default(0)
        .describe('social proofs that the profile of an owner must carry'),
    })
    .prefault({}),
  authTimestampCacheSize: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(50_000)
    .describe('addresses of which the hub remembers what their owners have revoked'),
  revocationMaxAge: z
    .int()
    .min(0)
    .max(3600)
    .default(5)
    .describe(
      'seconds until a revocation made at another hub holds here; 0: ask the storage on every request',
    ),
  maxInvocationLifetime: z
    .int()
    .min(1)
    .max(31_536_000)
    .default(86_400)
    .describe('seconds that an invocation may be valid for'),
  directUploadThreshold: z
    .int()
    .min(0)
    .max(1_099_511_627_776)
    .nullable()
    .default(null)
    .describe(
      'bytes above which clients bring a file to the storage itself; without it every file comes through the hub',
    ),
  directUploadLifetime: z
    .int()
    .min(1)
    .max(300)
    .default(60)
    .describe('seconds within which such an upload must begin; a revocation comes too late for it'),
})

export const readerSchema = z.strictObject({
  ...listen,
  port: port.default(3001).describe('port of the reader; 0: any free one'),
  httpsPort: port
    .default(8443)
    .describe('port of the reader for HTTPS, where enableHttps is set; 0: any free one'),
  ...caching,
  redirect: z
    .enum(['off', 'presigned', 'public'])
    .default('off')
    .describe(
      'where clients get the bytes: from the reader; by presigned URLs from the storage; at redirectURL',
    ),
  redirectURL: hubUrl.nullable().default(null).describe('address of the public bucket, or of a cache of it'),
  redirectThreshold: z
    .int()
    .min(0)
    .max(1_099_511_627_776)
    .default(0)
    .describe('bytes; smaller files come from the reader all the same'),
})

export const configSchema = z.strictObject({
  driver: driverName
    .default('disk')
    .describe(
      'where files are kept; "memory" forgets them when the process ends; a package or a path is a driver of somebody else',
    ),
  // Only the driver knows which of them are secret.
  driverSettings: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({
      description: 'what a driver of somebody else is told, as it stands here',
      allowed: 'a section with the keys of that driver; in the variable, the same as JSON',
      ...secret,
    }),
  bucket: z.string().default('hub').describe('bucket or container of a cloud driver'),
  createBucket: z.boolean().default(false).describe('make the bucket at the start where it is missing'),
  allowUnsafeConditions: z
    .boolean()
    .default(false)
    .describe('take a storage that ignores conditions of writes: writers at one time may lose updates'),
  diskSettings: diskSettings.prefault({}),
  awsCredentials: awsCredentials.prefault({}),
  gcCredentials: gcCredentials.prefault({}),
  azCredentials: azCredentials.prefault({}),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('least level of the log; "info" has a line for each request'),
  workers: z
    .union([z.int().min(1).max(512), z.literal('auto')])
    .default(1)
    .meta({
      description: 'processes that share the work; "auto": one for each core',
      allowed: 'an integer from 1 to 512, or "auto"',
    }),
  metrics: metrics.prefault({}),
  enableHttps: z
    .enum(['cert_files'])
    .nullable()
    .default(null)
    .describe('"cert_files": serve HTTPS, with the certificate of tlsCertConfig'),
  tlsCertConfig: tlsCertConfig.prefault({}),
  plainHttp: z
    .enum(['redirect', 'serve', 'off'])
    .default('redirect')
    .describe('what becomes of plain HTTP at the port where enableHttps is set'),
  hsts: z
    .boolean()
    .default(false)
    .describe(
      'send Strict-Transport-Security: only where the public names are served by HTTPS alone, for good',
    ),
  timeouts: timeouts.prefault({}),
  limits: limits.prefault({}),
  hub: hubSchema.prefault({}),
  reader: readerSchema.prefault({}),
})

/** The whole configuration, checked; durations in seconds, sizes as each key says. */
export type Config = z.output<typeof configSchema>

/** Which servers one process runs. */
export type Kind = 'hub' | 'reader' | 'both'
