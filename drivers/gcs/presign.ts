import type {
  PresignedUpload,
  PresignedUploads,
  Presigner,
  PresignReadOptions,
  PresignUploadOptions,
} from '../driver.ts'
import { DriverError } from '../errors.ts'
import { checkLife, checkUpload } from '../presign.ts'
import type { ProbeTarget } from '../probe.ts'
import { holdsUploads } from '../probe-uploads.ts'
import { asDriver } from './errors.ts'
import type { SignUrl } from './identity.ts'
import { canHold, isGeneration } from './object-info.ts'

/** The most that an object may have, and that one request may bring. */
const maxUploadBytes = 5 * 1024 ** 4

/** @param holds whether the storage holds uploads to what was signed; see {@link holdsSigned} */
export function gcsPresigner(sign: SignUrl, holds: boolean): Presigner {
  return {
    readUrl: (key, options) => asDriver(() => readUrl(sign, key, options)),
    uploads: holds ? uploadsBy(sign) : null,
  }
}

/** Google's storage does; an emulator may not look at signatures at all. */
export async function holdsSigned(sign: SignUrl, target: ProbeTarget): Promise<boolean> {
  return await holdsUploads({
    write: (name, bytes) => target.write(name, bytes),
    read: (name) => target.read(name),
    delete: (name) => target.delete(name),
    presign: (name, options) => asDriver(() => presignUpload(sign, name, options)),
    harmful: (name) => ({
      'x-goog-copy-source': `${sign.bucket}/${name}`,
      'x-goog-acl': 'private',
      'x-goog-meta-mandate-write': 'x',
    }),
  })
}

function uploadsBy(sign: SignUrl): PresignedUploads {
  return {
    maxBytes: maxUploadBytes,
    presign: (key, options) => asDriver(() => presignUpload(sign, key, options)),
  }
}

async function readUrl(sign: SignUrl, key: string, options: PresignReadOptions): Promise<string> {
  checkLife(options.expiresInSeconds)
  checkName(key)
  const { expiresInSeconds, contentType, contentDisposition } = options
  const { url } = await sign(key, {
    action: 'read',
    expiresInSeconds,
    queryParams: {
      ...(contentType === undefined ? {} : { 'response-content-type': contentType }),
      ...(contentDisposition === undefined ? {} : { 'response-content-disposition': contentDisposition }),
    },
  })
  return url
}

async function presignUpload(
  sign: SignUrl,
  key: string,
  options: PresignUploadOptions,
): Promise<PresignedUpload> {
  checkUpload(options, maxUploadBytes)
  checkName(key)
  const { size, contentType, expiresInSeconds } = options
  const signed = { 'Content-Type': contentType, ...signedHeaders(options) }
  const { url, expiresMs } = await sign(key, { action: 'write', expiresInSeconds, extensionHeaders: signed })
  const headers = { 'Content-Length': String(size), ...signed }
  return { method: 'PUT', url, headers, expiresMs, etagHeader: 'X-Goog-Generation' }
}

/** "x-goog-content-length-range" bounds what the storage takes; no length of the request needs to be believed. */
function signedHeaders({ size, cacheControl, condition }: PresignUploadOptions): Record<string, string> {
  const headers: Record<string, string> = { 'x-goog-content-length-range': `${size},${size}` }
  if (cacheControl !== undefined) headers['Cache-Control'] = cacheControl
  if (condition === undefined) return headers
  const generation = 'ifMatch' in condition ? condition.ifMatch : '0'
  if ('ifMatch' in condition && !isGeneration(generation)) {
    throw new DriverError('precondition_failed', 'another version is stored now')
  }
  return { ...headers, 'x-goog-if-generation-match': generation }
}

function checkName(name: string): void {
  if (canHold(name)) return
  throw new DriverError('invalid_key', 'the storage holds no names of more than 1,024 bytes')
}
