import { NotFoundError } from '../errors.ts'
import type { BodySource, Transport } from '../transport/transport.ts'
import { download } from './download.ts'
import { haveSameBytes } from './same-bytes.ts'

/** The etag of what is at a path, where its bytes are those of a body, which is opened anew; else `null`. */
export async function etagIfStored(
  transport: Transport,
  path: string,
  body: BodySource,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    const found = await download(transport, path, { signal })
    if ('notModified' in found) return null
    if (body.size !== null && found.length !== null && found.length !== body.size) {
      await found.stream.cancel()
      return null
    }
    const wanted = new Response(await body.open()).body ?? new Blob().stream()
    return (await haveSameBytes(wanted, found.stream)) ? found.info.etag : null
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}
