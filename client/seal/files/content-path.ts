import { hex } from '@scure/base'
import { type Bytes, framed, sha256, utf8 } from '../bytes.ts'

/** Folder of contents, beside the files that they belong to. */
const contentFolder = '.sealed/'

/**
 * Where the content of a file lies: a name beside it that depends on the file's path, so that no envelope can name
 * the content of another file, and have it deleted with its own.
 */
export async function contentPath(path: string, id: Bytes): Promise<string> {
  const name = await sha256(framed('mandate sealed name v1', path, id))
  return `${folderOf(path)}${contentFolder}${hex.encode(name.subarray(0, 16))}`
}

/** With its slash; empty at the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

export function isContentPath(path: string): boolean {
  return /(^|\/)\.sealed\/[0-9a-f]{32}$/.test(path)
}

export function isHistoryPath(path: string): boolean {
  return /(^|\/)\.history\.\d+\.[A-Za-z0-9]{10}\.[^/]*$/.test(path)
}

/** Whether a hub takes a content beside that file: names have at most 1,024 bytes. */
export function hasRoomForContent(path: string): boolean {
  return utf8(folderOf(path)).length + contentFolder.length + 32 <= 1024
}
