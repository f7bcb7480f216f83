import type { Transport } from '../transport/transport.ts'
import type { FileInfo } from './file.ts'
import type { CallOptions } from './files.ts'
import { listFiles } from './list.ts'

/** A former version of a file, kept when it was replaced or deleted. */
export interface FormerVersion extends FileInfo {
  /** The path that it was at. */
  readonly of: string
  /** When it was replaced or deleted, in milliseconds since 1970, by the hub's clock. */
  readonly replacedMs: number
}

/** `<dir>/.history.<ms>.<10 alphanumerics>.<name>` (PROTOCOL 1.4). */
const historyName = /^\.history\.(\d{1,15})\.[A-Za-z0-9]{10}\.(.+)$/s

/** Former versions of a file, the youngest first. */
export async function historyOf(
  transport: Transport,
  path: string,
  options: CallOptions = {},
): Promise<FormerVersion[]> {
  const slash = path.lastIndexOf('/') + 1
  const folder = path.slice(0, slash)
  const versions: FormerVersion[] = []
  for await (const info of listFiles(transport, { ...options, prefix: `${folder}.history.` })) {
    const [, replacedMs, name] = historyName.exec(info.path.slice(slash)) ?? []
    if (name === path.slice(slash)) versions.push({ ...info, of: path, replacedMs: Number(replacedMs) })
  }
  // Of one millisecond, by name: our hubs make them in that order.
  return versions.sort((a, b) => b.replacedMs - a.replacedMs || (a.path < b.path ? 1 : -1))
}
