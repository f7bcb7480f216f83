import type { Transport } from '../transport/transport.ts'
import { infoFrom, lengthFrom } from './answers.ts'
import type { FileInfo } from './file.ts'
import type { CallOptions } from './files.ts'

/** What is known of a file, `null` where there is none. */
export async function headFile(
  transport: Transport,
  path: string,
  options: CallOptions = {},
): Promise<FileInfo | null> {
  const response = await transport.request({
    method: 'HEAD',
    url: transport.fileUrl(path),
    signal: options.signal,
    accept: [404],
    cache: 'no-cache',
  })
  if (response.status === 404) return null
  return infoFrom(path, response.headers, lengthFrom(response.headers) ?? 0)
}
