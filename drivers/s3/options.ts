import type { Access } from '../read-only.ts'

export interface S3DriverOptions {
  bucket: string
  /** Where the service is, for any that is not AWS; `https://host[:port]`. */
  endpoint?: string
  /** Of the bucket. Without one the SDK looks for it as it does everywhere; `us-east-1` with an `endpoint`. */
  region?: string
  /** Put the bucket's name in the path, not in the host name: the default with an `endpoint`. */
  forcePathStyle?: boolean
  /**
   * Fixed keys, or `anonymous` to sign nothing. Without any the SDK's own chain is used: environment, shared files,
   * web identity, the roles of containers and machines.
   */
  credentials?: S3Credentials | 'anonymous'
  /** `read` needs no right to write and refuses to; `write` unless said otherwise. */
  access?: Access
  /** Make the bucket where it is missing. */
  createBucket?: boolean
  /** Take a backend that does not hold writes to conditions: writers at the same time may then lose updates. */
  allowUnsafeConditions?: boolean
  /**
   * Find out at the start whether the storage holds presigned uploads to what was signed, and offer what it can be
   * relied on for. Not unless said so, and never without keys.
   */
  presign?: boolean
  /** Where clients reach the service, if not at `endpoint`; presigned requests are made for it. */
  presignEndpoint?: string
  /** The most connections at one time; 128 unless said otherwise. Further requests wait for one. */
  maxSockets?: number
  /** How long to wait for a connection; 5 s unless said otherwise. */
  connectionTimeoutMs?: number
  /**
   * How long one request may take until its answer begins, and an answer may stand still; 30 s unless said
   * otherwise, and a second more for each MiB that is sent.
   */
  requestTimeoutMs?: number
  /** How often a request is tried in all, with growing, random pauses; 4 unless said otherwise. */
  maxAttempts?: number
  /** For large bodies on their way to a backend that holds only whole writes to conditions; the system's by default. */
  tempFolder?: string
}

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}
