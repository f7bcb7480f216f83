import { Storage, type StorageOptions } from '@google-cloud/storage'
import { DriverError } from '../errors.ts'

/** Who the driver is to the storage, and where that is; names and meanings are those of the SDK. */
export interface IdentityOptions {
  /**
   * Another server than Google's: an emulator, say. None but credentials that are given here go there, unless it
   * is one of Google's own (`*.googleapis.com`, or below `universeDomain`).
   */
  apiEndpoint?: string
  /** For creating the bucket; found out from the credentials where it is not given. */
  projectId?: string
  /** A file with the key of a service account. Without it and `credentials`, the SDK's ambient ones serve. */
  keyFilename?: string
  credentials?: { client_email?: string; private_key?: string }
  universeDomain?: string
}

/** One request to sign a URL for, by version 4 of Google's signatures. */
export interface SigningOptions {
  readonly action: 'read' | 'write'
  readonly expiresInSeconds: number
  /** Headers that the request must have, as they are. */
  readonly extensionHeaders?: Readonly<Record<string, string>>
  readonly queryParams?: Readonly<Record<string, string>>
}

/** Signs URLs of the XML API for objects of one bucket; by a key of its own, or by asking Google's IAM to. */
export interface SignUrl {
  (name: string, options: SigningOptions): Promise<{ url: string; expiresMs: number }>
  readonly bucket: string
}

export interface Identity {
  /** Of the JSON API, without a slash at the end. */
  readonly endpoint: URL
  /** Whether it is anybody: nobody's signature is worth nothing. */
  readonly isAnonymous: boolean
  signerFor(bucket: string): SignUrl
  /** What shows it to the storage, for one request. */
  headers(): Promise<Record<string, string>>
  projectId(): Promise<string>
}

/** Lets the SDK find the endpoint and the credentials, as it does everywhere. */
export function openIdentity(options: IdentityOptions): Identity {
  const { apiEndpoint, projectId, keyFilename, credentials, universeDomain } = options
  const settings: StorageOptions = {
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(keyFilename === undefined ? {} : { keyFilename }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(universeDomain === undefined ? {} : { universeDomain }),
  }
  const storage = new Storage(settings)
  const endpoint = endpointOf(storage.apiEndpoint)
  const isKnown = keyFilename !== undefined || credentials !== undefined
  const isAnonymous = !isKnown && !isGoogles(endpoint, storage.universeDomain)
  return {
    endpoint,
    isAnonymous,
    signerFor: (bucket) => signerFor(storage, bucket),
    headers: async () => (isAnonymous ? {} : await asked(() => storage.authClient.getRequestHeaders())),
    projectId: async () => projectId ?? (await asked(() => storage.authClient.getProjectId())),
  }
}

function signerFor(storage: Storage, bucket: string): SignUrl {
  const sign = async (name: string, { action, expiresInSeconds, ...rest }: SigningOptions) => {
    // Whole seconds, as the signature tells them.
    const signedMs = Math.floor(Date.now() / 1000) * 1000
    const expiresMs = signedMs + expiresInSeconds * 1000
    const [url] = await asked(() =>
      storage
        .bucket(bucket)
        .file(name)
        .getSignedUrl({ version: 'v4', action, accessibleAt: signedMs, expires: expiresMs, ...rest }),
    )
    return { url, expiresMs }
  }
  return Object.assign(sign, { bucket })
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new DriverError('backend', 'apiEndpoint is no http or https address')
  }
  return url
}

function isGoogles({ hostname, protocol }: URL, universe: string): boolean {
  return (
    protocol === 'https:' &&
    ['googleapis.com', universe].some((domain) => hostname === domain || hostname.endsWith(`.${domain}`))
  )
}

/** The SDK's errors hold requests, and with them signatures and tokens: only their text goes on, as a cause. */
async function asked<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    const cause = new Error(textOf(error))
    if (isOutOfReach(error)) {
      throw new DriverError('unavailable', 'no token can be had for the storage just now', { cause })
    }
    throw new DriverError('backend', 'the credentials for the storage do not work', { cause })
  }
}

/** A file that is no JSON is quoted in the message of that error. */
function textOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'the key file is no JSON'
  return error instanceof Error ? error.message.slice(0, 300) : 'an error of another kind'
}

function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code: unknown = 'code' in error ? error.code : undefined
  const status: unknown = 'status' in error ? error.status : undefined
  if (typeof status === 'number') return status === 429 || status >= 500
  return typeof code === 'string' && /^(E(CONN|TIMED|NOTFOUND|AI_|PIPE|HOST|NET))/.test(code)
}
