import type { BlobClient, BlobGetPropertiesResponse } from '@azure/storage-blob'
import type { ObjectInfo } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { unless } from './errors.ts'

/** What all of the service's answers about a blob say, each under the same names. */
interface Properties {
  readonly etag?: string | undefined
  readonly contentType?: string | undefined
  readonly lastModified?: Date | undefined
}

/** @throws `backend` when the answer lacks what every answer has */
export function infoOf(
  { etag, contentType, lastModified }: Properties,
  size: number | undefined,
): ObjectInfo {
  if (etag === undefined || lastModified === undefined || size === undefined) {
    throw new DriverError('backend', 'the storage service answered without etag, size or date')
  }
  return {
    etag: unquote(etag),
    size,
    contentType: contentType === undefined || contentType === '' ? 'application/octet-stream' : contentType,
    lastModifiedMs: lastModified.getTime(),
  }
}

/** The service writes its etags with quotes in headers and without in lists. */
function unquote(etag: string): string {
  return etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag
}

/** A condition on a version, as the service wants it. */
export function matching(etag: string): { ifMatch: string } {
  return { ifMatch: `"${etag}"` }
}

/**
 * Whether the service can have made an etag. A text of another form is never sent: it need not fit a header, and
 * `*` means something else.
 */
export function isEtag(text: string): boolean {
  return /^[\x21\x23-\x29\x2b\x2d-\x7e]{1,128}$/.test(text)
}

/** What a blob's HEAD says, `null` where there is none. Staged blocks alone are no blob. */
export function lookAt(blob: BlobClient): Promise<BlobGetPropertiesResponse | null> {
  return unless('not_found', () => blob.getProperties())
}

export async function statBlob(blob: BlobClient): Promise<ObjectInfo | null> {
  const properties = await lookAt(blob)
  return properties === null ? null : infoOf(properties, properties.contentLength)
}
