import { join } from 'node:path'
import type { Connection } from '../../connect.ts'
import { isHistory } from '../commands/ls.ts'
import { type LocalStamp, stampOf } from '../transfers/commit.ts'
import { isSafeBelow } from '../transfers/local-path.ts'
import { walkFolder } from '../transfers/walk.ts'
import type { RemoteVersion } from './plan.ts'
import { stateFileName } from './state.ts'

export interface ScanOptions {
  isExcluded: (path: string) => boolean
  onSkip: (path: string, why: string) => void
}

/** The files of the folder, by path. */
export async function scanLocal(folder: string, options: ScanOptions): Promise<Map<string, LocalStamp>> {
  const found = new Map<string, LocalStamp>()
  const isExcluded = (path: string) => path === stateFileName || options.isExcluded(path)
  for await (const { path } of walkFolder(folder, { onSkip: options.onSkip, isExcluded })) {
    const stamp = await stampOf(join(folder, ...path.split('/')))
    if (stamp !== null) found.set(path, stamp)
  }
  return found
}

/** The files of the bucket below a prefix, by the rest of the path; former versions stay where they are. */
export async function scanRemote(
  connection: Connection,
  prefix: string,
  signal: AbortSignal,
  options: ScanOptions,
): Promise<Map<string, RemoteVersion>> {
  const found = new Map<string, RemoteVersion>()
  for await (const { path, etag, size } of connection.list({ prefix, stat: true, signal })) {
    const below = path.slice(prefix.length)
    if (isHistory(below) || options.isExcluded(below)) continue
    // A name that others have given must not lead out of the folder, nor replace what sync itself keeps there.
    if (below === stateFileName || !isSafeBelow(below))
      options.onSkip(path, 'no name for a file of this folder')
    else found.set(below, { etag, size })
  }
  return found
}
