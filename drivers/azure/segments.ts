import type { ContainerClient } from '@azure/storage-blob'
import type { ObjectInfo } from '../driver.ts'
import { malformed } from './cursor.ts'
import { asDriverError, failureOf } from './errors.ts'
import { infoOf } from './info.ts'

export interface Item {
  readonly name: string
  readonly info: ObjectInfo
}

/** What one request lists: `limit` items or fewer, none at times, in the service's order. */
export interface Segment {
  readonly items: readonly Item[]
  /** Where the next one begins, `null` after the last one. */
  readonly next: string | null
}

/** Azure: one request lists at most 5,000. */
export const maxSegment = 5_000

/** Lists whole blobs from a marker on. The service tells their properties along with the names. */
export async function listSegment(
  container: ContainerClient,
  prefix: string,
  marker: string | null,
  limit: number,
): Promise<Segment> {
  const { segment, continuationToken } = await firstPage(
    container.listBlobsFlat({ prefix }).byPage(pageOf(marker, limit)),
    marker,
  )
  const items = segment.blobItems.map(({ name, properties }) => ({
    name,
    info: infoOf(properties, properties.contentLength),
  }))
  return { items, next: tokenOf(continuationToken) }
}

/** Lists the first segments of names, each with its slash. */
export async function listFolders(
  container: ContainerClient,
  marker: string | null,
  limit: number,
): Promise<{ folders: string[]; next: string | null }> {
  const { segment, continuationToken } = await firstPage(
    container.listBlobsByHierarchy('/').byPage(pageOf(marker, limit)),
    marker,
  )
  return { folders: (segment.blobPrefixes ?? []).map(({ name }) => name), next: tokenOf(continuationToken) }
}

function pageOf(marker: string | null, maxPageSize: number) {
  return marker === null ? { maxPageSize } : { maxPageSize, continuationToken: marker }
}

function tokenOf(token: string | undefined): string | null {
  return token === undefined || token === '' ? null : token
}

async function firstPage<T>(pages: AsyncIterableIterator<T>, marker: string | null): Promise<T> {
  try {
    const { value } = await pages.next()
    return value
  } catch (error) {
    // Nothing else of the request comes from a client.
    if (marker !== null && failureOf(error).status === 400) throw malformed(asDriverError(error))
    throw asDriverError(error)
  }
}
