import { TransferError } from '../errors.ts'
import { download } from './download.ts'
import type { Files } from './files.ts'
import type { FormerVersion } from './history.ts'
import { type PutOptions, type PutResult, putContent } from './put.ts'

/**
 * Makes a former version the present one; see `Connection.restore`. Its bytes flow through here: a hub copies nothing
 * for its clients.
 */
export function restoreVersion(
  files: Files,
  version: FormerVersion,
  options: Pick<PutOptions, 'signal' | 'onProgress'> = {},
): Promise<PutResult> {
  const open = async () => {
    const opened = await download(files.transport, version.path, { signal: options.signal })
    if ('notModified' in opened) throw new TransferError('the reader gave no file')
    return opened.stream
  }
  const content = { body: { size: version.size, replayable: true, open }, contentType: version.contentType }
  // Whatever is there now becomes history itself, so nothing is lost by not having seen it.
  return putContent(files, version.of, content, { ...options, overwrite: true, keepHistory: true })
}
