import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type {
  PresignedUpload,
  PresignedUploads,
  Presigner,
  PresignReadOptions,
  PresignUploadOptions,
} from '../driver.ts'
import { DriverError } from '../errors.ts'
import { checkLife, checkUpload } from '../presign.ts'
import { nativeCondition } from './commit.ts'
import { typeInput } from './content-type.ts'
import { asDriver } from './errors.ts'
import { signGuarded } from './guarded-signature.ts'
import { fitsKey, isEtag, type Store, targetOf } from './store.ts'

/** The most that S3 takes in one PUT. */
const maxUploadBytes = 5 * 1024 ** 3

/** How the storage is kept from taking headers that nobody signed: by itself, or by a signature that names them. */
export type Signing = 'plain' | 'guarded'

/** What presigned requests are made with: the bucket, and a client for the address at which clients reach it. */
export interface SigningStore {
  readonly store: Pick<Store, 'bucket' | 'traits'>
  readonly client: S3Client
}

/** @param signing for uploads; `null` where the storage holds them to too little */
export function s3Presigner(signer: SigningStore, signing: Signing | null): Presigner {
  return {
    readUrl: (key, options) => asDriver(() => readUrl(signer, key, options)),
    uploads: signing === null ? null : uploadsBy(signer, signing),
  }
}

export function uploadsBy(signer: SigningStore, signing: Signing): PresignedUploads {
  return {
    maxBytes: maxUploadBytes,
    presign: (key, options) => asDriver(() => presignUpload(signer, signing, key, options)),
  }
}

async function readUrl(
  { store, client }: SigningStore,
  key: string,
  options: PresignReadOptions,
): Promise<string> {
  checkLife(options.expiresInSeconds)
  checkKey(key)
  const { contentType, contentDisposition, cacheControl } = options
  const command = new GetObjectCommand({
    ...targetOf(store, key),
    ...(contentType === undefined ? {} : { ResponseContentType: contentType }),
    ...(contentDisposition === undefined ? {} : { ResponseContentDisposition: contentDisposition }),
    ...(cacheControl === undefined ? {} : { ResponseCacheControl: cacheControl }),
  })
  return await getSignedUrl(client, command, { expiresIn: options.expiresInSeconds })
}

/** @param signedAtMs by default now */
export async function presignUpload(
  { store, client }: SigningStore,
  signing: Signing,
  key: string,
  options: PresignUploadOptions,
  signedAtMs: number = Date.now(),
): Promise<PresignedUpload> {
  checkUpload(options, maxUploadBytes)
  checkKey(key)
  const input = inputOf(store, key, options)
  const headers = headersOf(input)
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  const url = await getSignedUrl(client, new PutObjectCommand(input), {
    expiresIn: options.expiresInSeconds,
    signingDate: new Date(signedAtMs),
    // By itself the SDK would sign no content type, and put metadata into the query.
    signableHeaders: new Set([...names, 'host']),
    unhoistableHeaders: names,
  })
  return {
    method: 'PUT',
    url: signing === 'plain' ? url : await guard(client, url, headers),
    headers,
    // A signature is of a whole second.
    expiresMs: Math.floor(signedAtMs / 1000) * 1000 + options.expiresInSeconds * 1000,
    etagHeader: 'ETag',
  }
}

async function guard(client: S3Client, url: string, headers: Record<string, string>): Promise<string> {
  const { secretAccessKey } = await client.config.credentials()
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return signGuarded(url, 'PUT', Object.fromEntries(lower), secretAccessKey)
}

type UploadInput = ReturnType<typeof inputOf>

function inputOf(
  store: SigningStore['store'],
  key: string,
  { size, contentType, cacheControl, condition }: PresignUploadOptions,
) {
  if (condition !== undefined && 'ifMatch' in condition && !isEtag(condition.ifMatch)) {
    throw new DriverError('precondition_failed', 'another version is stored now')
  }
  return {
    ...targetOf(store, key),
    ...typeInput(contentType),
    ContentLength: size,
    ...(cacheControl === undefined ? {} : { CacheControl: cacheControl }),
    ...(condition === undefined ? {} : nativeCondition(store, condition)),
  }
}

/** The headers that the SDK makes of an input, for whoever sends the request without it. */
function headersOf({ ContentLength, ContentType, Metadata, ...rest }: UploadInput): Record<string, string> {
  const { CacheControl, IfMatch, IfNoneMatch } = rest as Partial<
    Record<'CacheControl' | 'IfMatch' | 'IfNoneMatch', string>
  >
  const given = {
    'Content-Length': String(ContentLength),
    'Content-Type': ContentType,
    'Cache-Control': CacheControl,
    'If-Match': IfMatch,
    'If-None-Match': IfNoneMatch,
    ...Object.fromEntries(Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  }
  return Object.fromEntries(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}

function checkKey(key: string): void {
  if (!fitsKey(key)) throw new DriverError('invalid_key', 'the name is longer than the storage allows')
}
