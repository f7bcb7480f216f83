import { TransferError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { etagFrom, infoFrom } from './answers.ts'
import type { FileInfo } from './file.ts'
import { headFile } from './head.ts'

/** How often to look again where a file is replaced while one looks. */
const maxLooks = 5

/** An answer with the bytes of a version, and how the reader names that version. */
export interface Found {
  readonly response: Response
  /** `size` is 0 where the answer has to tell. */
  readonly info: FileInfo
}

/** Whether an answer came from where a reader has sent us, of which the reader's own etags may not be known. */
export function isElsewhere({ redirected, url }: Response, asked: string): boolean {
  return redirected && new URL(url).origin !== new URL(asked).origin
}

/**
 * Asks for a file, and finds out which version the answer is. A storage to which a reader sends us has etags of its own;
 * those of the reader count for everything else, and it tells them itself when it is asked for the head. Where it names
 * one and the same version before and after the answer of the storage began, that is the one that came.
 * @param ask sends the request to the reader
 * @throws {TransferError} `changed-while-reading` where the file is replaced time and again, or is gone
 */
export async function findVersion(
  transport: Transport,
  path: string,
  ask: () => Promise<Response>,
  signal: AbortSignal | undefined,
): Promise<Found | { readonly notModified: Response }> {
  const { ways } = transport
  const url = transport.fileUrl(path)
  let before = ways.namesDiffer ? await headFile(transport, path, { signal }) : null
  for (let looks = 0; looks < maxLooks; looks++) {
    const response = await ask()
    if (response.status === 304) return { notModified: response }
    if (!isElsewhere(response, url)) return { response, info: infoFrom(path, response.headers, 0) }
    const after = await headFile(transport, path, { signal }).catch((error: unknown) =>
      letGo(response, error),
    )
    if (after === null) return letGo(response, changed())
    // A storage whose etags are the reader's own needs no second look.
    if (after.etag === before?.etag || after.etag === storageEtag(response)) return { response, info: after }
    ways.namesDiffer = true
    before = after
    await response.body?.cancel()
  }
  throw changed()
}

async function letGo(response: Response, error: unknown): Promise<never> {
  await response.body?.cancel()
  throw error
}

/** What a storage calls the version that it gave; `null` where it does not let a page of another origin know. */
export function storageEtag({ headers }: Response): string | null {
  return headers.has('etag') ? etagFrom(headers) : null
}

/** The file was replaced while it was read. */
export function changed(): TransferError {
  return new TransferError('the file was replaced or deleted while it was read; read it anew', {
    code: 'changed-while-reading',
  })
}
